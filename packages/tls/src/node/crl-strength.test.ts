import { der, encodePem } from '@testudo/codec';
import type { SignatureAlgorithm } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { Certificate } from '@testudo/x509';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionOptions } from './index.ts';
import { identityOf, type Made, make, pemOf } from './testing/chains.ts';
import { closeAll, connected, failing, nodes, ours } from './testing/support.ts';

// OpenSSL holds certificates to its security level, but not the lists that they are looked up in.

afterEach(closeAll);

const rsa = (bits: number) => nodeCrypto.generateKey({ type: 'rsa', bits });
const DAY = 86_400_000;

/** A list, without a number, of nothing or of one serial number. */
function listOf(issuer: Made, algorithm: SignatureAlgorithm, oid: string, revoked?: Uint8Array): string {
  const identifier = der.sequence(der.oid(oid), algorithm.name === 'ecdsa' ? undefined : der.nullValue());
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

const ECDSA: SignatureAlgorithm = { name: 'ecdsa', hash: 'sha256' };
const curveList = (issuer: Made, ...revoked: Made[]): string =>
  listOf(issuer, ECDSA, '1.2.840.10045.4.3.2', revoked[0] && Certificate.parse(revoked[0].der).serialNumber);

// Of an anchor, too, something must be known.
describe('the list that an anchor is looked up in', () => {
  const root = make({ subject: 'Root', ca: true, usage: [5, 6] });
  const middle = make({ subject: 'Middle', ca: true, usage: [5, 6] }, root);
  const leaf = make({ names: ['localhost'], usage: [0] }, middle);
  const self = make({ names: ['localhost'] });
  const whole = [leaf, middle];
  const partly = { allowPartialTrustChain: true };
  test.each<[string, readonly Made[], Made, readonly string[], ConnectionOptions?]>([
    ['all is well', whole, root, [curveList(root), curveList(middle)]],
    ['a root that revoked itself', whole, root, [curveList(root, root), curveList(middle)]],
    ['an intermediate that is revoked', whole, root, [curveList(root, middle), curveList(middle)]],
    ['no list of the root', whole, root, [curveList(middle)]],
    ['a trusted intermediate of which nothing is known', whole, middle, [curveList(middle)], partly],
    ['a leaf that is its own root', [self], self, [curveList(self)]],
    ['one that revoked itself', [self], self, [curveList(self, self)]],
    ['one of which nothing is known', [self], self, [curveList(root)]],
  ])('counts as in Node: %s', async (_, chain, anchor, crl, options) => {
    const server = identityOf(chain[0]!, ...chain.slice(1));
    const client = { ca: pemOf(anchor), crl: [...crl], rejectUnauthorized: false, ...options };
    const [theirs, own] = [
      await connected(nodes, nodes, server, client),
      await connected(ours, ours, server, client),
    ];
    const verdict = ({ client: socket }: typeof own) => [socket.authorized, socket.authorizationError];
    expect(verdict(own)).toEqual(verdict(theirs));
  });
});

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

// RFC 6066 §8: bad_certificate_status_response is about what a server stapled.
test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s: a strict server says of a client of whom nothing is known that it does not know him',
  async (maxVersion) => {
    const root = make({ subject: 'Root', ca: true, usage: [5, 6] });
    const other = make({ subject: 'Other', ca: true, usage: [5, 6] });
    const server = { requestCert: true, ca: pemOf(root), crl: curveList(other), strict: true, maxVersion };
    const outcome = await failing(ours, nodes, server, identityOf(make({ names: ['me'], usage: [0] }, root)));
    expect(outcome.server).toMatchObject({ code: 'UNABLE_TO_GET_CRL' });
    expect(outcome.client?.message).toContain('alert certificate unknown');
  },
);
