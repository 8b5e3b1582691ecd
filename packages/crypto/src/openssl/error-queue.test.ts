import { createPrivateKey, createPublicKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import {
  AEAD_SIZES,
  type AeadName,
  type CryptoProvider,
  type CurveName,
  DIGEST_SIZES,
  type DigestName,
  type KeySpec,
  type SignatureAlgorithm,
} from '../index.ts';
import { nodeCrypto } from '../node/index.ts';
import { encodeRsaSpki } from '../spki.ts';
import { opensslCrypto } from './index.ts';
import { openNative } from './native.ts';

// OpenSSL notes errors in a queue of the thread. node:crypto takes what it finds there for its own.

const koffi = createRequire(import.meta.url)('koffi') as {
  load(path: null): { func(name: string, result: string, parameters: string[]): () => number };
};
const peekError = koffi.load(null).func('ERR_peek_error', 'unsigned long', []);

const CURVES: readonly CurveName[] = [
  'x25519',
  'x448',
  'secp256r1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP512r1',
];

const SIGNERS: readonly (readonly [KeySpec, readonly SignatureAlgorithm[]])[] = [
  [{ type: 'ec', curve: 'secp256r1' }, [{ name: 'ecdsa', hash: 'sha256' }]],
  [{ type: 'ed25519' }, [{ name: 'ed25519' }]],
  [{ type: 'ed448' }, [{ name: 'ed448' }]],
  [
    { type: 'rsa', bits: 512 },
    [
      { name: 'rsa-pss', hash: 'sha256' },
      { name: 'rsa-pss', hash: 'sha512' },
      { name: 'rsa-pkcs1', hash: 'sha512' },
      { name: 'rsa-pkcs1', hash: 'md5-sha1' },
    ],
  ],
];

/** What works and what fails, of every kind. */
function* calls(provider: CryptoProvider): Generator<readonly [string, () => unknown]> {
  const data = nodeCrypto.randomBytes(700);
  for (const name of Object.keys(AEAD_SIZES) as AeadName[]) {
    yield [`${name}: look-up`, () => provider.aead(name, new Uint8Array(AEAD_SIZES[name].key))];
    yield [`${name}: wrong key`, () => provider.aead(name, new Uint8Array(1))];
    const aead = provider.aead(name, new Uint8Array(AEAD_SIZES[name].key));
    if (aead === undefined) continue;
    const [nonce, sealed] = [new Uint8Array(12), new Uint8Array(data.length + aead.tagLength)];
    yield [`${name}: seal`, () => aead.seal(nonce, data, data, sealed, 0)];
    yield [`${name}: open`, () => aead.open(nonce, data, sealed)];
    for (const length of [0, 7, 20, sealed.length])
      yield [`${name}: forged`, () => aead.open(nonce, nonce, sealed.subarray(0, length))];
  }
  for (const name of ['aes-128-cbc', '3des-cbc', 'sm4-cbc', 'camellia-256-cbc', 'aes-128-ecb'] as const) {
    const make = () =>
      provider.cipher(
        name,
        'decrypt',
        new Uint8Array({ '3des-cbc': 24, 'camellia-256-cbc': 32 }[name as string] ?? 16),
        new Uint8Array({ '3des-cbc': 8, 'aes-128-ecb': 0 }[name as string] ?? 16),
      );
    yield [name, () => make()?.update(new Uint8Array(64))];
    yield [name, () => make()?.update(new Uint8Array(65))];
  }
  for (const hash of Object.keys(DIGEST_SIZES) as DigestName[]) {
    yield [hash, () => provider.digest(hash, data)];
    yield [hash, () => provider.hmac(hash, data, data)];
  }
  yield ['no such hash', () => provider.digest('sha0' as never, data)];
  yield ['too much of HKDF', () => provider.hkdfExpand('sha256', data, data, 10_000)];
  for (const curve of CURVES) {
    const key = provider.keyAgreement(curve)!.generate();
    yield [`${curve}: agree`, () => key.agree(key.publicKey)];
    const wrong = [
      new Uint8Array(key.publicKey.length),
      key.publicKey.map((byte, i) => (i === 1 ? byte ^ 1 : byte)),
    ];
    wrong[0]![0] = curve.startsWith('x') ? 0 : 4;
    for (const point of [...wrong, new Uint8Array(0)]) yield [`${curve}: wrong`, () => key.agree(point)];
    yield [`${curve}: from zeros`, () => provider.keyAgreement(curve)!.fromPrivate(new Uint8Array(32))];
  }
  for (const name of ['ml-kem-768', 'ml-kem-1024'] as const) {
    const kem = provider.kem(name)!;
    yield [name, () => kem.generate().decapsulate(new Uint8Array(name === 'ml-kem-768' ? 1088 : 1568))];
    yield [name, () => kem.generate().decapsulate(new Uint8Array(1))];
    yield [name, () => kem.encapsulate(new Uint8Array(name === 'ml-kem-768' ? 1184 : 1568).fill(0xff))];
    yield [name, () => kem.encapsulate(new Uint8Array(5))];
    yield [name, () => kem.fromSeed(new Uint8Array(5))];
  }
  for (const [spec, algorithms] of SIGNERS) {
    const key = nodeCrypto.generateKey(spec);
    const empty = { kind: key.kind, publicKey: key.publicKey, exportPkcs8: () => new Uint8Array(100) };
    for (const algorithm of algorithms) {
      const name = `${JSON.stringify(spec)} ${JSON.stringify(algorithm)}`;
      yield [`${name}: sign`, () => provider.sign(algorithm, key, data)];
      yield [`${name}: no key`, () => provider.sign(algorithm, empty, data)];
      for (const signature of [new Uint8Array(0), new Uint8Array(64), data])
        yield [`${name}: wrong`, () => provider.verify(algorithm, key.publicKey, data, signature)];
      yield [
        `${name}: right`,
        () => provider.verify(algorithm, key.publicKey, data, provider.sign(algorithm, key, data)),
      ];
    }
  }
  const off = nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' }).publicKey.spki;
  off[40]! ^= 1;
  const even = encodeRsaSpki('rsa', new Uint8Array(128).fill(0xff), Uint8Array.of(3), undefined);
  for (const spki of [off, even])
    yield [
      'a key that is none',
      () => provider.verify({ name: 'ecdsa', hash: 'sha256' }, provider.importPublicKey(spki), data, data),
    ];
}

test('no call leaves an error behind', () => {
  const before = nodeErrors();
  for (const [name, call] of calls(opensslCrypto())) {
    expect(peekError(), `before ${name}`).toBe(0);
    try {
      call();
    } catch {
      // What is thrown is looked at elsewhere.
    }
    expect(peekError(), name).toBe(0);
  }
  expect(nodeErrors()).toEqual(before);
});

test('nor does opening libcrypto', () => {
  openNative();
  expect(peekError()).toBe(0);
});

/** What node:crypto says of what it cannot read. */
function nodeErrors(): unknown[] {
  const key = Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  return [createPrivateKey, createPublicKey].map((read) => {
    try {
      return read(key).type;
    } catch (error) {
      const { message, code, opensslErrorStack } = error as Error & Record<string, unknown>;
      return { message, code, opensslErrorStack };
    }
  });
}
