import { readFileSync } from 'node:fs';
import type { MlDsaName } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import {
  Certificate,
  createCertificateAuthority,
  parseCertificates,
  parsePrivateKey,
  signatureAlgorithmOf,
  TrustStore,
  verifyCertificate,
} from '@testudo/x509';
import { describe, expect, test } from 'vitest';

// ML-DSA in certificates (RFC 9881), by the RFC's own examples.

const LEVELS = [44, 65, 87] as const;

function file(name: string): string {
  return readFileSync(new URL(`../vectors/rfc9881/${name}`, import.meta.url), 'utf8');
}

/** A change of one bit, `fromEnd` bytes before the end. */
function spoiled(certificate: Certificate, fromEnd: number): Certificate {
  const der = certificate.der.slice();
  der[der.length - fromEnd]! ^= 1;
  return Certificate.parse(der);
}

describe.each([nodeCrypto, portableCrypto])('provider $name', (provider) => {
  test.each(LEVELS)('the example of ML-DSA-%i verifies, and not with a bit changed', (level) => {
    const [example] = parseCertificates(file(`ML-DSA-${level}.crt`)) as [Certificate];
    const name: MlDsaName = `ml-dsa-${level}`;
    expect(signatureAlgorithmOf(example.signatureAlgorithm)).toEqual({
      kind: 'supported',
      algorithm: { name },
    });
    const key = example.publicKey(provider);
    expect(key.kind).toEqual({ type: name });
    expect(provider.verify({ name }, key, example.tbs, example.signature)).toBe(true);
    const wrong = spoiled(example, 100);
    expect(provider.verify({ name }, key, wrong.tbs, wrong.signature)).toBe(false);
  });

  test.each(LEVELS)('the example key of ML-DSA-%i is the one in the certificate', (level) => {
    const [example] = parseCertificates(file(`ML-DSA-${level}.crt`)) as [Certificate];
    const key = parsePrivateKey(file(`ML-DSA-${level}-seed.priv`), provider);
    expect(key.publicKey.spki).toEqual(example.spki);
  });

  test.each(LEVELS)('a CA with ML-DSA-%i issues, and what it issued verifies', (level) => {
    const authority = createCertificateAuthority({
      provider,
      commonName: 'ML-DSA CA',
      key: { type: `ml-dsa-${level}` },
    });
    const issued = authority.issue({ purpose: 'server', names: ['example.com'], key: { type: 'ml-dsa-44' } });
    // RFC 9881 §5: the key neither encrypts nor agrees.
    expect([...issued.certificate.extensions.keyUsage!]).toEqual(['digitalSignature']);
    const verify = (leaf: Certificate) =>
      verifyCertificate({
        provider,
        chain: [leaf],
        trust: new TrustStore([authority.certificate]),
        at: new Date(),
        purpose: 'server',
      });
    expect(verify(issued.certificate).path).toHaveLength(2);
    expect(() => verify(spoiled(issued.certificate, 50))).toThrow(
      expect.objectContaining({ code: 'bad-signature' }),
    );
  });
});

test('an intermediate of ML-DSA under an elliptic curve, and the other way round', () => {
  const root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Root' });
  const below = root.issueAuthority({ commonName: 'Below', key: { type: 'ml-dsa-65' } });
  const issued = below.issue({ purpose: 'client', commonName: 'Client' });
  const verified = verifyCertificate({
    provider: nodeCrypto,
    chain: issued.certificateChain,
    trust: new TrustStore([root.certificate]),
    at: new Date(),
    purpose: 'client',
  });
  expect(verified.path.map((one) => one.publicKey(nodeCrypto).kind.type)).toEqual(['ec', 'ml-dsa-65', 'ec']);
});
