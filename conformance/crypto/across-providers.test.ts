import { createHmac } from 'node:crypto';
import { concat, toHex, utf8 } from '@testudo/codec';
import type {
  AeadName,
  CipherName,
  CryptoProvider,
  CurveName,
  DigestName,
  KemName,
  KeySpec,
  SignatureAlgorithm,
} from '@testudo/crypto';
import { AEAD_SIZES, DIGEST_SIZES, HASH_LENGTH, type HashName } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, expect, test } from 'vitest';

const data = utf8('what both must agree on');
const both = [
  { from: nodeCrypto, to: portableCrypto },
  { from: portableCrypto, to: nodeCrypto },
];
const CURVES = [
  'secp256r1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
] as const;
const hashes = Object.keys(HASH_LENGTH) as HashName[];

describe('what one provider makes, the other takes', () => {
  type Signer = readonly [KeySpec, readonly SignatureAlgorithm[]];
  const signers: readonly Signer[] = [
    ...CURVES.map((curve): Signer => {
      const hashNames = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
      return [{ type: 'ec', curve }, hashNames.map((hash) => ({ name: 'ecdsa', hash }))];
    }),
    [{ type: 'ed25519' }, [{ name: 'ed25519' }]],
    [{ type: 'ed448' }, [{ name: 'ed448' }]],
    ...(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'] as const).map((name): Signer => [{ type: name }, [{ name }]]),
    // 1024 and 1025 bits: the encoded message of PSS is as long as the modulus, or a byte shorter.
    ...[1024, 1025].map((bits): Signer => {
      const names = ['rsa-pkcs1', 'rsa-pss'] as const;
      const hashNames = ['sha1', 'sha256', 'sha384'] as const;
      return [
        { type: 'rsa', bits },
        [
          ...names.flatMap((name) => hashNames.map((hash) => ({ name, hash }))),
          { name: 'rsa-pkcs1', hash: 'md5-sha1' },
        ],
      ];
    }),
  ];

  describe.each(signers)('signatures by %j', (spec, algorithms) => {
    const origin = spec.type === 'rsa' ? nodeCrypto : portableCrypto;
    const pkcs8 = origin.generateKey(spec).exportPkcs8();

    test.each(both)('from $from.name to $to.name', ({ from, to }) => {
      const key = from.importPrivateKey(pkcs8);
      const publicKey = to.importPublicKey(key.publicKey.spki);
      expect(publicKey.kind).toEqual(spec);
      for (const algorithm of algorithms) {
        const signature = from.sign(algorithm, key, data);
        expect(to.verify(algorithm, publicKey, data, signature)).toBe(true);
        expect(to.verify(algorithm, publicKey, utf8('something else'), signature)).toBe(false);
        const forged = signature.slice();
        forged[forged.length >> 1]! ^= 1;
        expect(to.verify(algorithm, publicKey, data, forged)).toBe(false);
        // A key object of another provider does as well.
        expect(to.verify(algorithm, key.publicKey, data, to.sign(algorithm, key, data))).toBe(true);
      }
    });
  });

  test.each(['x25519', 'x448', ...CURVES] as CurveName[])('%s', (curve) => {
    const a = nodeCrypto.keyAgreement(curve)!.generate();
    const b = portableCrypto.keyAgreement(curve)!.generate();
    expect(toHex(a.agree(b.publicKey))).toBe(toHex(b.agree(a.publicKey)));
  });

  test.each(['ml-kem-768', 'ml-kem-1024'] as KemName[])('%s', (name) => {
    for (const { from, to } of both) {
      const key = from.kem(name)!.generate();
      const { ciphertext, sharedSecret } = to.kem(name)!.encapsulate(key.encapsulationKey);
      expect(toHex(key.decapsulate(ciphertext))).toBe(toHex(sharedSecret));
      ciphertext[7]! ^= 1;
      expect(toHex(key.decapsulate(ciphertext))).not.toBe(toHex(sharedSecret));
    }
  });

  test('RSA key transport', () => {
    const key = nodeCrypto.generateKey({ type: 'rsa', bits: 1024 });
    const encrypted = portableCrypto.rsaEncrypt(key.publicKey, data);
    const padded = nodeCrypto.rsaDecryptRaw(key, encrypted);
    expect(toHex(padded.subarray(0, 2))).toBe('0002');
    expect(padded.indexOf(0, 2)).toBe(128 - data.length - 1);
    expect(padded.slice(128 - data.length)).toEqual(data);
  });

  const aeads = (Object.keys(AEAD_SIZES) as AeadName[]).filter((name) =>
    both.every(({ from }) => from.aead(name, new Uint8Array(AEAD_SIZES[name].key)) !== undefined),
  );
  test('all AEADs but those of ARIA and Camellia are here', () => expect(aeads.length).toBe(7));

  test.each(aeads)('%s', (name) => {
    const key = nodeCrypto.randomBytes(AEAD_SIZES[name].key);
    const nonce = nodeCrypto.randomBytes(12);
    for (const { from, to } of both)
      for (const length of [0, 1, 15, 16, 17, 1000, 16384])
        for (const aadLength of [0, 5, 13, 70_000]) {
          const text = nodeCrypto.randomBytes(length);
          const additionalData = nodeCrypto.randomBytes(aadLength);
          const out = new Uint8Array(length + AEAD_SIZES[name].tag);
          from.aead(name, key)!.seal(nonce, additionalData, text, out, 0);
          expect(to.aead(name, key)!.open(nonce, additionalData, out)).toEqual(text);
          out[out.length - 1]! ^= 1;
          expect(to.aead(name, key)!.open(nonce, additionalData, out)).toBeUndefined();
        }
  });
});

describe('providers give the same', () => {
  test.each(Object.keys(DIGEST_SIZES) as DigestName[])('%s as a digest, in HMAC and in PBKDF2', (hash) => {
    const { length, block } = DIGEST_SIZES[hash];
    for (const size of [0, 1, length, block - 1, block, block + 1, 1025]) {
      const input = nodeCrypto.randomBytes(size);
      expect(portableCrypto.digest(hash, input)).toEqual(nodeCrypto.digest(hash, input));
      expect(nodeCrypto.digest(hash, input).length).toBe(length);
      expect(portableCrypto.hmac(hash, input, data)).toEqual(nodeCrypto.hmac(hash, input, data));
      expect(nodeCrypto.hmac(hash, input, data)).toEqual(
        new Uint8Array(createHmac(hash, input).update(data).digest()),
      );
      expect(portableCrypto.pbkdf2(hash, input, data, 3, 100)).toEqual(
        nodeCrypto.pbkdf2(hash, input, data, 3, 100),
      );
    }
  });

  test.each(hashes)('%s, HMAC and HKDF, around the lengths where something changes', (hash) => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1024, 1025, 5000]) {
      const input = nodeCrypto.randomBytes(length);
      expect(portableCrypto.digest(hash, input)).toEqual(nodeCrypto.digest(hash, input));
      expect(nodeCrypto.digest(hash, input).length).toBe(HASH_LENGTH[hash]);
      for (const key of [data, input]) {
        expect(portableCrypto.hmac(hash, key, input)).toEqual(nodeCrypto.hmac(hash, key, input));
        expect(portableCrypto.hkdfExtract(hash, key, input)).toEqual(
          nodeCrypto.hkdfExtract(hash, key, input),
        );
      }
      for (const wanted of [0, 1, 16, 32, 64, 65, 200])
        expect(portableCrypto.hkdfExpand(hash, input, data, wanted)).toEqual(
          nodeCrypto.hkdfExpand(hash, input, data, wanted),
        );
    }
  });

  test.each(hashes)('HMAC with %s in steps, one message after another', (hash) => {
    for (const provider of [nodeCrypto, portableCrypto])
      for (const key of [new Uint8Array(0), data, nodeCrypto.randomBytes(200)]) {
        const mac = provider.mac(hash, key);
        expect(mac.digest()).toEqual(nodeCrypto.hmac(hash, key, new Uint8Array(0)));
        mac.update(data.subarray(0, 5));
        mac.update(data.subarray(5));
        expect(mac.digest()).toEqual(nodeCrypto.hmac(hash, key, data));
        mac.update(data.subarray(3));
        mac.reset();
        mac.update(data);
        const tag = mac.digest();
        expect(tag).toEqual(nodeCrypto.hmac(hash, key, data));
        expect(tag.constructor).toBe(Uint8Array);
        mac.update(data);
        expect(mac.digest()).toEqual(tag);
        mac.reset();
        expect(mac.digest()).toEqual(nodeCrypto.hmac(hash, key, new Uint8Array(0)));
      }
  });

  test.each(hashes)('%s in steps, read in the middle', (hash) => {
    for (const provider of [nodeCrypto, portableCrypto]) {
      const steps = provider.hash(hash);
      steps.update(data.subarray(0, 5));
      expect(steps.digest()).toEqual(provider.digest(hash, data.subarray(0, 5)));
      expect(steps.digest()).toEqual(steps.digest());
      steps.update(data.subarray(5));
      expect(steps.digest()).toEqual(provider.digest(hash, data));
    }
  });

  test.each([nodeCrypto, portableCrypto])(
    'CBC records with IVs of their own by one cipher ($name)',
    (provider) => {
      const key = nodeCrypto.randomBytes(16);
      const anyIv = nodeCrypto.randomBytes(16);
      const encrypt = provider.cipher('aes-128-cbc', 'encrypt', key, anyIv)!;
      const decrypt = provider.cipher(
        'aes-128-cbc',
        'decrypt',
        key,
        anyIv.map((byte) => byte ^ 1),
      )!;
      for (const blocks of [1, 2, 64]) {
        const text = nodeCrypto.randomBytes(16 * blocks);
        const record = encrypt.update(concat(nodeCrypto.randomBytes(16), text));
        const [iv, sealed] = [record.subarray(0, 16), record.subarray(16)];
        expect(nodeCrypto.cipher('aes-128-cbc', 'decrypt', key, iv)!.update(sealed)).toEqual(text);
        expect(decrypt.update(record).subarray(16)).toEqual(text);
      }
    },
  );

  const ciphers: readonly (readonly [CipherName, number, number, number])[] = [
    ['aes-128-cbc', 16, 16, 16],
    ['aes-192-cbc', 24, 16, 16],
    ['aes-256-cbc', 32, 16, 16],
    ['aes-128-ecb', 16, 0, 16],
    ['aes-256-ecb', 32, 0, 16],
    ['aes-128-ctr', 16, 16, 1],
    ['aes-256-ctr', 32, 16, 1],
    ['chacha20', 32, 16, 1],
    ['rc4', 16, 0, 1],
  ];

  test.each(ciphers)('%s, in pieces of any size', (name, keyLength, ivLength, block) => {
    const key = nodeCrypto.randomBytes(keyLength);
    const iv = nodeCrypto.randomBytes(ivLength);
    // Counters that carry into the next bytes.
    if (name.endsWith('ctr')) iv.fill(0xff, 9);
    if (name === 'chacha20') iv[3] = 0x12;
    const text = nodeCrypto.randomBytes(100 * block);
    const pieces = (
      provider: CryptoProvider,
      direction: 'encrypt' | 'decrypt',
      input: Uint8Array,
    ): string => {
      const cipher = provider.cipher(name, direction, key, iv)!;
      let out = '';
      for (const [from, to] of [
        [0, 0],
        [0, 1],
        [1, 17],
        [17, 64],
        [64, 80],
        [80, 100],
      ] as const)
        out += toHex(cipher.update(input.subarray(from * block, to * block)));
      return out;
    };
    const sealed = nodeCrypto.cipher(name, 'encrypt', key, iv)!.update(text);
    for (const provider of [nodeCrypto, portableCrypto]) {
      expect(pieces(provider, 'encrypt', text)).toBe(toHex(sealed));
      expect(pieces(provider, 'decrypt', sealed)).toBe(toHex(text));
    }
  });
});
