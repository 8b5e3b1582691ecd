import { der, encodePem } from '@testudo/codec';
import type { SignatureAlgorithm } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { Certificate } from '@testudo/x509';
import { afterEach, expect, test } from 'vitest';
import { identityOf, type Made, make, pemOf } from './testing/chains.ts';
import { closeAll, connected, failing, nodes, ours } from './testing/support.ts';

// OpenSSL holds certificates to its security level, but not the lists that they are looked up in.

afterEach(closeAll);

const rsa = (bits: number) => nodeCrypto.generateKey({ type: 'rsa', bits });
const DAY = 86_400_000;

/** A list, without a number, of nothing or of one serial number. */
function listOf(issuer: Made, algorithm: SignatureAlgorithm, oid: string, revoked?: Uint8Array): string {
  const identifier = der.sequence(der.oid(oid), der.nullValue());
  const time = (days: number) => der.time(new Date(Date.now() + days * DAY));
  const tbs = der.sequence(
    der.integer(1),
    identifier,
    der.sequence(der.setOf(der.sequence(der.oid('2.5.4.3'), der.utf8String(issuer.subject)))),
    time(-1),
    time(1),
    revoked && der.sequence(der.sequence(der.element(2, revoked), time(-1))),
  );
  const signature = der.bitString(nodeCrypto.sign(algorithm, issuer.key, tbs));
  return encodePem('X509 CRL', der.sequence(tbs, identifier, signature));
}

test.each<[string, number, SignatureAlgorithm, string, string]>([
  ['with SHA-1', 2048, { name: 'rsa-pkcs1', hash: 'sha1' }, '1.2.840.113549.1.1.5', 'DEFAULT'],
  [
    'by 1,024 bits',
    1024,
    { name: 'rsa-pkcs1', hash: 'sha256' },
    '1.2.840.113549.1.1.11',
    'DEFAULT:@SECLEVEL=0',
  ],
  ['by 2,048 bits', 2048, { name: 'rsa-pkcs1', hash: 'sha256' }, '1.2.840.113549.1.1.11', 'DEFAULT'],
])('a list that is signed %s counts as in Node', async (_, bits, algorithm, oid, ciphers) => {
  const root = make({ subject: 'Root', key: rsa(bits), ca: true, usage: [5, 6] });
  const leaf = make({ names: ['localhost'], usage: [0] }, root);
  const server = { ...identityOf(leaf), ciphers };
  const client = { ca: pemOf(root), ciphers };
  const { serialNumber } = Certificate.parse(leaf.der);
  for (const party of [nodes, ours]) {
    const good = await connected(party, party, server, { ...client, crl: listOf(root, algorithm, oid) });
    expect(good.client.authorized).toBe(true);
    const revoked = listOf(root, algorithm, oid, serialNumber);
    const outcome = await failing(party, party, server, { ...client, crl: revoked });
    expect(outcome.client).toMatchObject({ code: 'CERT_REVOKED' });
  }
});
