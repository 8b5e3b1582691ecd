import { concat, toHex } from '@testudo/codec';
import type {
  AeadName,
  CipherName,
  CurveName,
  HashName,
  KemName,
  KeySpec,
  SignatureAlgorithm,
} from '@testudo/crypto';
import { AEAD_SIZES } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { PROVIDERS } from './providers.ts';

// A Buffer's `slice` is a view and no copy: what keeps one sees what its owner writes later, and `reverse` turns the owner's bytes.

const data = Buffer.from('what is signed, sealed and hashed');

/** A Buffer in the middle of other memory, which must stay as it is. */
function given(bytes: Uint8Array): { readonly bytes: Buffer; changed(): boolean } {
  const around = Buffer.alloc(bytes.length + 32, 0xa5);
  const inner = around.subarray(16, 16 + bytes.length);
  inner.set(bytes);
  const before = toHex(around);
  return { bytes: inner, changed: () => toHex(around) !== before };
}

/** Gives an input, sees that it was not changed, and overwrites it, as an owner of secrets does. */
function taking<T>(bytes: Uint8Array, take: (input: Buffer) => T): T {
  const input = given(bytes);
  const result = take(input.bytes);
  expect(input.changed()).toBe(false);
  input.bytes.fill(0);
  return result;
}

describe.each(PROVIDERS)('$name: Buffers are not changed, and not kept', (provider) => {
  const aeads = (Object.keys(AEAD_SIZES) as AeadName[]).filter(
    (name) => provider.aead(name, new Uint8Array(AEAD_SIZES[name].key)) !== undefined,
  );

  test.each(aeads)('%s', (name) => {
    const key = nodeCrypto.randomBytes(AEAD_SIZES[name].key);
    const nonce = nodeCrypto.randomBytes(12);
    const aead = taking(key, (input) => provider.aead(name, input)!);
    for (const length of [0, 20, 1000]) {
      const text = nodeCrypto.randomBytes(length);
      const sealed = new Uint8Array(length + aead.tagLength);
      taking(text, (input) => aead.seal(nonce, data, input, sealed, 0));
      const expected = new Uint8Array(sealed.length);
      provider.aead(name, key)!.seal(nonce, data, text, expected, 0);
      expect(toHex(sealed)).toBe(toHex(expected));
      const opened = taking(sealed, (input) => aead.open(nonce, data, input));
      expect(toHex(opened!)).toBe(toHex(text));
    }
  });

  test.each(aeads)('%s, where the plaintext lies across its ciphertext', (name) => {
    const aead = provider.aead(name, nodeCrypto.randomBytes(AEAD_SIZES[name].key))!;
    const nonce = nodeCrypto.randomBytes(12);
    for (const distance of [-200, -16, -1, 0, 1, 15, 16, 17, 200, 400])
      for (const length of [40, 300]) {
        const text = nodeCrypto.randomBytes(length);
        const memory = Buffer.alloc(2000, 7);
        memory.set(text, 500 + distance);
        aead.seal(nonce, data, memory.subarray(500 + distance, 500 + distance + length), memory, 500);
        const sealed = memory.subarray(500, 500 + length + aead.tagLength);
        expect(toHex(aead.open(nonce, data, new Uint8Array(sealed))!)).toBe(toHex(text));
      }
  });

  test.each([
    ['aes-128-cbc', 16, 16],
    ['aes-256-cbc', 32, 16],
    ['aes-128-ecb', 16, 0],
    ['aes-128-ctr', 16, 16],
    ['chacha20', 32, 16],
    ['rc4', 16, 0],
  ] as const)('%s', (name: CipherName, keyLength, ivLength) => {
    const [key, iv] = [nodeCrypto.randomBytes(keyLength), nodeCrypto.randomBytes(ivLength)];
    const text = nodeCrypto.randomBytes(960);
    const sealed = nodeCrypto.cipher(name, 'encrypt', key, iv)!.update(text);
    for (const [direction, input, wanted] of [
      ['encrypt', text, sealed],
      ['decrypt', sealed, text],
    ] as const)
      for (const inPlace of [false, true]) {
        const cipher = taking(key, (ownKey) =>
          taking(iv, (ownIv) => provider.cipher(name, direction, ownKey, ownIv)!),
        );
        const parts = [0, 1, 2].map((i) => input.slice(320 * i, 320 * i + 320));
        const out = parts.map((part) => {
          if (!inPlace) return taking(part, (bytes) => cipher.update(bytes));
          const room = Buffer.from(part);
          return cipher.update(room, room);
        });
        expect(toHex(concat(...out))).toBe(toHex(wanted));
      }
  });

  test.each(['md5', 'sha256', 'sha384'] as HashName[])('HMAC with %s', (hash) => {
    for (const length of [16, 64, 200]) {
      const key = nodeCrypto.randomBytes(length);
      const mac = taking(key, (input) => provider.mac(hash, input));
      for (let i = 0; i < 2; i++) {
        taking(data, (input) => mac.update(input));
        expect(toHex(mac.digest())).toBe(toHex(nodeCrypto.hmac(hash, key, data)));
      }
      taking(key, (input) =>
        expect(toHex(provider.hmac(hash, input, data))).toBe(toHex(nodeCrypto.hmac(hash, key, data))),
      );
    }
  });

  test.each([
    ['x25519', 32],
    ['x448', 56],
    ['secp256r1', 32],
    ['secp384r1', 48],
    ['secp521r1', 66],
    ['brainpoolP256r1', 32],
  ] as const)('%s', (curve: CurveName, length) => {
    const privateKey = nodeCrypto.randomBytes(length);
    privateKey[0] = 0;
    const functions = provider.keyAgreement(curve)!;
    const key = taking(privateKey, (input) => functions.fromPrivate(input));
    const peer = functions.generate();
    const secret = taking(peer.publicKey, (input) => key.agree(input));
    expect(toHex(peer.agree(key.publicKey))).toBe(toHex(secret));
    for (const wrong of [length - 1, length + 1])
      expect(() => functions.fromPrivate(new Uint8Array(wrong).fill(1))).toThrow(
        expect.objectContaining({ code: 'bad-key' }),
      );
  });

  test.each(['ml-kem-768', 'ml-kem-1024'] as KemName[])('%s', (name) => {
    const kem = provider.kem(name)!;
    const seed = nodeCrypto.randomBytes(64);
    const key = taking(seed, (input) => kem.fromSeed(input));
    expect(toHex(key.encapsulationKey)).toBe(toHex(kem.fromSeed(seed).encapsulationKey));
    const { ciphertext, sharedSecret } = taking(key.encapsulationKey, (input) => kem.encapsulate(input));
    expect(toHex(taking(ciphertext, (input) => key.decapsulate(input)))).toBe(toHex(sharedSecret));
  });

  const signers: readonly (readonly [KeySpec, SignatureAlgorithm])[] = [
    [
      { type: 'ec', curve: 'secp256r1' },
      { name: 'ecdsa', hash: 'sha256' },
    ],
    [{ type: 'ed25519' }, { name: 'ed25519' }],
    [
      { type: 'rsa', bits: 1024 },
      { name: 'rsa-pss', hash: 'sha256' },
    ],
    [{ type: 'ml-dsa-44' }, { name: 'ml-dsa-44' }],
  ];

  test.each(signers)('keys: %j', (spec, algorithm) => {
    const made = nodeCrypto.generateKey(spec);
    const key = taking(made.exportPkcs8(), (input) => provider.importPrivateKey(input));
    const publicKey = taking(made.publicKey.spki, (input) => provider.importPublicKey(input));
    expect(toHex(publicKey.spki)).toBe(toHex(made.publicKey.spki));
    const signature = taking(data, (input) => provider.sign(algorithm, key, input));
    const isValid = taking(signature, (input) => provider.verify(algorithm, publicKey, data, input));
    expect(isValid).toBe(true);
  });
});
