import { generateKeyPairSync } from 'node:crypto';
import { der, encodePem, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { CertificateError } from './errors.ts';
import { parseCertificates, parsePrivateKey } from './load.ts';
import { certificateToPem, privateKeyToPem } from './pem.ts';
import { make, newKey } from './testing/make.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
  return 'accepted';
};

const a = make().certificate;
const b = make().certificate;

test('certificates come from PEM as text or bytes, and from DER', () => {
  const pem = `junk\n${privateKeyToPem(newKey())}${certificateToPem(a, b)}`;
  for (const input of [pem, utf8(pem)])
    expect(parseCertificates(input).map(({ der: bytes }) => bytes)).toEqual([a.der, b.der]);
  expect(parseCertificates(a.der)[0]!.equals(a)).toBe(true);
  expect(parseCertificates(encodePem('X509 CERTIFICATE', a.der))).toHaveLength(1);
  expect(parseCertificates(utf8(`0 is no DER here\n${certificateToPem(a)}`))).toHaveLength(1);
});

test.each<[string, string | Uint8Array]>([
  ['no certificate', privateKeyToPem(newKey())],
  ['an empty text', ''],
  ['no bytes', new Uint8Array()],
  ['words', 'not a certificate'],
  ['a broken block', certificateToPem(a).slice(0, -10)],
  ['bytes after the DER', Uint8Array.of(...a.der, 0)],
  ['a cut DER', a.der.subarray(0, -1)],
  ['another structure', encodePem('CERTIFICATE', der.sequence(der.nullValue()))],
])('%s gives no certificates', (_, input) => {
  expect(codeOf(() => parseCertificates(input))).toBe('malformed');
});

describe('a private key', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

  test.each([
    ['PKCS#8', ec, 'pkcs8'],
    ['SEC 1', ec, 'sec1'],
    ['PKCS#8, RSA', rsa, 'pkcs8'],
    ['PKCS#1', rsa, 'pkcs1'],
  ] as const)('comes from %s, as PEM and as DER', (_, key, type) => {
    const expected = new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }));
    for (const format of ['pem', 'der'] as const) {
      const exported = key.export({ format, type } as never) as unknown as string | Uint8Array;
      expect(parsePrivateKey(exported, nodeCrypto).exportPkcs8()).toEqual(expected);
    }
  });

  test('stands behind other blocks, such as EC PARAMETERS', () => {
    const text =
      encodePem('EC PARAMETERS', der.oid('1.2.840.10045.3.1.7')) + ec.export({ format: 'pem', type: 'sec1' });
    expect(parsePrivateKey(text, nodeCrypto).kind).toEqual({ type: 'ec', curve: 'secp256r1' });
  });

  test.each([
    ['PKCS#8, PEM', ec.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' })],
    [
      'PKCS#8, DER',
      new Uint8Array(
        ec.export({ format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' }),
      ),
    ],
    ['SEC 1', ec.export({ format: 'pem', type: 'sec1', cipher: 'aes-256-cbc', passphrase: 'secret' })],
    ['PKCS#1', rsa.export({ format: 'pem', type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 'secret' })],
  ])('that is encrypted is refused as such: %s', (_, input) => {
    expect(codeOf(() => parsePrivateKey(input as string | Uint8Array, nodeCrypto))).toBe('encrypted-key');
  });

  test.each<[string, string | Uint8Array]>([
    ['a certificate', certificateToPem(a)],
    [
      'a public key',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
        format: 'pem',
        type: 'spki',
      }) as string,
    ],
    ['nothing', ''],
    ['no DER', Uint8Array.of(1, 2, 3)],
    ['a cut key', newKey().exportPkcs8().subarray(0, 60)],
    ['another structure', der.sequence(der.integer(1), der.nullValue())],
    ['SEC 1 without its curve', der.sequence(der.integer(1), der.octetString(new Uint8Array(32)))],
    [
      'PKCS#8 without a key inside',
      der.sequence(
        der.integer(0),
        der.sequence(der.oid('1.2.840.113549.1.1.1'), der.nullValue()),
        der.octetString(),
      ),
    ],
  ])('does not come from %s', (_, input) => {
    expect(codeOf(() => parsePrivateKey(input, nodeCrypto))).toBe('malformed');
  });
});
