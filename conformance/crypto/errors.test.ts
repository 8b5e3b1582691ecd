import { constants, createPrivateKey, privateEncrypt } from 'node:crypto';
import { concat, fromHex, utf8 } from '@testudo/codec';
import { AEAD_SIZES, type AeadName, type CipherName, type CurveName, type KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, expect, test } from 'vitest';
import { PROVIDERS } from './providers.ts';

const rsaKey = nodeCrypto.generateKey({ type: 'rsa', bits: 1024 });
const ecSpec: KeySpec = { type: 'ec', curve: 'secp256r1' };

function refusal(code: 'bad-key' | 'bad-length' | 'unsupported'): Error {
  return expect.objectContaining({ name: 'CryptoError', code }) as unknown as Error;
}

describe.each(PROVIDERS)('the $name provider refuses', (provider) => {
  const aeads = (Object.keys(AEAD_SIZES) as AeadName[]).filter(
    (name) => provider.aead(name, new Uint8Array(AEAD_SIZES[name].key)) !== undefined,
  );
  test.each(aeads)('wrong lengths in %s', (name) => {
    const { key, tag } = AEAD_SIZES[name];
    for (const length of [0, key - 1, key + 1, 24])
      expect(() => provider.aead(name, new Uint8Array(length))).toThrowError(refusal('bad-key'));
    const aead = provider.aead(name, new Uint8Array(key))!;
    const none = new Uint8Array(0);
    for (const length of [0, 8, 11, 13, 16]) {
      const nonce = new Uint8Array(length);
      expect(() => aead.seal(nonce, none, none, new Uint8Array(tag), 0)).toThrowError(refusal('bad-length'));
      expect(() => aead.open(nonce, none, new Uint8Array(tag))).toThrowError(refusal('bad-length'));
    }
    const nonce = new Uint8Array(12);
    for (const [room, at] of [
      [tag, 0],
      [tag + 1, 1],
      [tag + 9, -1],
    ] as const)
      expect(() => aead.seal(nonce, none, Uint8Array.of(1), new Uint8Array(room), at)).toThrowError(
        refusal('bad-length'),
      );
    for (let length = 0; length < tag; length++)
      expect(aead.open(nonce, none, new Uint8Array(length))).toBeUndefined();
  });

  test('a message that CCM cannot count', () => {
    const aead = provider.aead('aes-128-ccm', new Uint8Array(16))!;
    const long = new Uint8Array(2 ** 24);
    const none = new Uint8Array(0);
    expect(() => aead.seal(new Uint8Array(12), none, long, new Uint8Array(long.length + 16), 0)).toThrowError(
      refusal('bad-length'),
    );
  });

  test('to open what was changed in the nonce, the additional data or any byte', () => {
    const aead = provider.aead('aes-128-ccm-8', new Uint8Array(16))!;
    const sealed = new Uint8Array(5 + 8);
    const nonce = new Uint8Array(12);
    aead.seal(nonce, utf8('header'), utf8('hello'), sealed, 0);
    expect(aead.open(nonce, utf8('header'), sealed)).toEqual(utf8('hello'));
    expect(aead.open(nonce, utf8('headed'), sealed)).toBeUndefined();
    expect(aead.open(new Uint8Array(12).fill(1), utf8('header'), sealed)).toBeUndefined();
    for (let i = 0; i < sealed.length; i++) {
      const forged = sealed.slice();
      forged[i]! ^= 0x80;
      expect(aead.open(nonce, utf8('header'), forged)).toBeUndefined();
    }
  });

  test.each([
    ['aes-128-cbc', 16, 16],
    ['aes-256-ctr', 32, 16],
    ['aes-128-ecb', 16, 0],
    ['chacha20', 32, 16],
  ] as [CipherName, number, number][])('wrong lengths in %s', (name, key, iv) => {
    for (const wrong of [0, key - 1, key + 1])
      expect(() => provider.cipher(name, 'encrypt', new Uint8Array(wrong), new Uint8Array(iv))).toThrowError(
        refusal('bad-key'),
      );
    expect(() => provider.cipher(name, 'encrypt', new Uint8Array(key), new Uint8Array(iv + 1))).toThrowError(
      refusal('bad-length'),
    );
  });

  test('parts of blocks in CBC and ECB', () => {
    for (const [name, iv] of [
      ['aes-128-cbc', 16],
      ['aes-128-ecb', 0],
    ] as const) {
      const cipher = provider.cipher(name, 'decrypt', new Uint8Array(16), new Uint8Array(iv))!;
      for (const length of [1, 15, 17])
        expect(() => cipher.update(new Uint8Array(length))).toThrowError(refusal('bad-length'));
    }
  });

  test('more than 255 hash lengths of HKDF', () => {
    const key = new Uint8Array(32);
    expect(provider.hkdfExpand('sha256', key, key, 255 * 32).length).toBe(255 * 32);
    for (const length of [255 * 32 + 1, -1, Number.NaN])
      expect(() => provider.hkdfExpand('sha256', key, key, length)).toThrowError(refusal('bad-length'));
  });

  const curves: CurveName[] = ['x25519', 'x448', 'secp256r1', 'secp384r1', 'secp521r1'];
  curves.push('brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1');
  test.each(curves)('private keys and points that are none of %s', (curve) => {
    const agreement = provider.keyAgreement(curve)!;
    const key = agreement.generate();
    const length = key.publicKey.length;
    const privateLength = curve.startsWith('x') ? length : (length - 1) / 2;
    for (const wrong of [0, privateLength - 1, privateLength + 1])
      expect(() => agreement.fromPrivate(new Uint8Array(wrong).fill(1))).toThrowError(refusal('bad-key'));
    const longer = new Uint8Array(length + 1);
    longer.set(key.publicKey);
    const points = [new Uint8Array(0), key.publicKey.subarray(1), key.publicKey.slice(0, -1), longer];
    points.push(new Uint8Array(length));
    if (!curve.startsWith('x')) {
      const compressed = key.publicKey.slice(0, privateLength + 1);
      compressed[0] = 2 + (key.publicKey[length - 1]! & 1);
      const hybrid = key.publicKey.slice();
      hybrid[0] = 6 + (key.publicKey[length - 1]! & 1);
      const off = key.publicKey.slice();
      off[length - 1]! ^= 1;
      points.push(compressed, hybrid, off, Uint8Array.of(0));
      for (const scalar of [new Uint8Array(privateLength), new Uint8Array(privateLength).fill(255)])
        expect(() => agreement.fromPrivate(scalar)).toThrowError(refusal('bad-key'));
    }
    for (const point of points) expect(() => key.agree(point)).toThrowError(refusal('bad-key'));
  });

  test('seeds, ciphertexts and keys of the wrong length in ML-KEM', () => {
    for (const name of ['ml-kem-768', 'ml-kem-1024'] as const) {
      const kem = provider.kem(name)!;
      for (const length of [0, 32, 63, 65])
        expect(() => kem.fromSeed(new Uint8Array(length))).toThrowError(refusal('bad-length'));
      const key = kem.fromSeed(new Uint8Array(64));
      expect(() => key.decapsulate(new Uint8Array(1087))).toThrowError(refusal('bad-length'));
      for (const wrong of [new Uint8Array(0), key.encapsulationKey.subarray(1)])
        expect(() => kem.encapsulate(wrong)).toThrowError(refusal('bad-key'));
    }
  });

  test('to sign with a key that does not fit', () => {
    const ec = provider.generateKey(ecSpec);
    expect(() => provider.sign({ name: 'rsa-pss', hash: 'sha256' }, ec, utf8('x'))).toThrowError(
      refusal('bad-key'),
    );
    expect(() => provider.sign({ name: 'ed25519' }, ec, utf8('x'))).toThrowError(refusal('bad-key'));
    // 1024 bits hold neither two SHA-512 outputs nor more.
    expect(() => provider.sign({ name: 'rsa-pss', hash: 'sha512' }, rsaKey, utf8('x'))).toThrowError(
      refusal('bad-key'),
    );
  });

  test('signatures by algorithms that the key does not have, without throwing', () => {
    const key = provider.generateKey(ecSpec);
    const signature = provider.sign({ name: 'ecdsa', hash: 'sha256' }, key, utf8('x'));
    const check = (algorithm: Parameters<typeof provider.verify>[0]): boolean =>
      provider.verify(algorithm, key.publicKey, utf8('x'), signature);
    expect(check({ name: 'ecdsa', hash: 'sha256' })).toBe(true);
    expect(check({ name: 'ecdsa', hash: 'sha384' })).toBe(false);
    expect(check({ name: 'rsa-pkcs1', hash: 'sha256' })).toBe(false);
    expect(check({ name: 'ed25519' })).toBe(false);
    for (const algorithm of ['rsa-pkcs1', 'rsa-pss'] as const)
      for (const length of [0, 1, 127, 128, 129])
        expect(
          provider.verify(
            { name: algorithm, hash: 'sha256' },
            rsaKey.publicKey,
            utf8('x'),
            new Uint8Array(length).fill(255),
          ),
        ).toBe(false);
  });

  test('RSA messages that do not fit', () => {
    expect(provider.rsaEncrypt(rsaKey.publicKey, new Uint8Array(117)).length).toBe(128);
    expect(() => provider.rsaEncrypt(rsaKey.publicKey, new Uint8Array(118))).toThrowError(
      refusal('bad-length'),
    );
    const ec = provider.generateKey(ecSpec);
    expect(() => provider.rsaEncrypt(ec.publicKey, new Uint8Array(1))).toThrowError(refusal('bad-key'));
  });

  test('what is no key', () => {
    const spki = rsaKey.publicKey.spki;
    const pkcs8 = rsaKey.exportPkcs8();
    for (const bad of [new Uint8Array(0), Uint8Array.of(0x30, 0x80), spki.subarray(1), spki.slice(0, -1)])
      expect(() => provider.importPublicKey(bad)).toThrowError(refusal('bad-key'));
    for (const bad of [new Uint8Array(0), spki, pkcs8.slice(0, -1)])
      expect(() => provider.importPrivateKey(bad)).toThrowError(refusal('bad-key'));
  });

  test('a public key off its curve, on import or by verifying nothing', () => {
    const spki = provider.generateKey(ecSpec).publicKey.spki.slice();
    spki[spki.length - 1]! ^= 1;
    let verified = false;
    try {
      const key = provider.importPublicKey(spki);
      verified = provider.verify({ name: 'ecdsa', hash: 'sha256' }, key, utf8('x'), new Uint8Array(70));
    } catch (error) {
      expect(error).toEqual(refusal('bad-key'));
    }
    expect(verified).toBe(false);
  });

  test('algorithms of keys that it lacks', () => {
    const secp256k1 = `3056301006072a8648ce3d020106052b8104000a034200${'04'.repeat(65)}`;
    expect(() => provider.importPublicKey(fromHex(secp256k1))).toThrowError(refusal('unsupported'));
    expect(() => provider.generateKey({ type: 'rsa', bits: 99 })).toThrowError(refusal('unsupported'));
  });
});

describe.each(PROVIDERS)('the $name provider keeps what it is given', (provider) => {
  test('private keys through export and import, with the same public key', () => {
    const specs: KeySpec[] = [
      ecSpec,
      { type: 'ec', curve: 'secp384r1' },
      { type: 'ec', curve: 'secp521r1' },
      { type: 'ec', curve: 'brainpoolP256r1' },
      { type: 'ec', curve: 'brainpoolP384r1' },
      { type: 'ec', curve: 'brainpoolP512r1' },
      { type: 'ed25519' },
      { type: 'ed448' },
      { type: 'ml-dsa-44' },
      { type: 'ml-dsa-65' },
      { type: 'ml-dsa-87' },
    ];
    for (const spec of specs) {
      const key = provider.generateKey(spec);
      const again = provider.importPrivateKey(key.exportPkcs8());
      expect(again.kind).toEqual(spec);
      expect(again.publicKey.spki).toEqual(key.publicKey.spki);
    }
    const rsa = provider.importPrivateKey(rsaKey.exportPkcs8());
    expect(rsa.publicKey.spki).toEqual(rsaKey.publicKey.spki);
    expect(rsa.kind).toEqual({ type: 'rsa', bits: 1024 });
  });

  test('private bytes out of what a key shows of itself', () => {
    const key = provider.generateKey({ type: 'ed25519' });
    const secret = Buffer.from(key.exportPkcs8().slice(-32));
    const shown = JSON.stringify(key) + Object.values(key).map(String).join();
    expect(shown).not.toContain(secret.toString('hex'));
    expect(shown).not.toContain([...secret].join());
    expect(Object.keys(key).toSorted()).toEqual(['kind', 'publicKey']);
  });

  test('inputs unchanged, also when the caller changes them later', () => {
    const key = new Uint8Array(16).fill(5);
    const mac = provider.mac('sha256', key);
    const aead = provider.aead('aes-128-gcm', key)!;
    const first = new Uint8Array(20);
    aead.seal(new Uint8Array(12), key, utf8('text'), first, 0);
    expect(key).toEqual(new Uint8Array(16).fill(5));
    const additionalData = key.slice();
    key.fill(0);
    expect(mac.digest()).toEqual(provider.hmac('sha256', additionalData, new Uint8Array(0)));
    expect(aead.open(new Uint8Array(12), additionalData, first)).toEqual(utf8('text'));

    const spki = rsaKey.publicKey.spki.slice();
    const imported = provider.importPublicKey(spki);
    spki.fill(0);
    expect(imported.spki).toEqual(rsaKey.publicKey.spki);
    const signature = nodeCrypto.sign({ name: 'rsa-pkcs1', hash: 'sha256' }, rsaKey, utf8('x'));
    expect(provider.verify({ name: 'rsa-pkcs1', hash: 'sha256' }, imported, utf8('x'), signature)).toBe(true);
  });

  test('outputs plain and its own', () => {
    const outputs = [
      provider.digest('sha256', utf8('x')),
      provider.hmac('sha256', utf8('x'), utf8('x')),
      provider.randomBytes(32),
      provider.keyAgreement('x25519')!.generate().publicKey,
      provider.keyAgreement('secp256r1')!.generate().publicKey,
      provider.sign({ name: 'ecdsa', hash: 'sha256' }, provider.generateKey(ecSpec), utf8('x')),
    ];
    for (const output of outputs) expect(output.constructor).toBe(Uint8Array);
  });
});

describe('MD5-SHA1 signatures', () => {
  const algorithm = { name: 'rsa-pkcs1', hash: 'md5-sha1' } as const;
  const message = utf8('what TLS 1.0 signs');
  // PKCS #1 v1.5 with all 36 bytes at the end, made by hand (RFC 8017 §9.2 without its DigestInfo).
  const digests = concat(nodeCrypto.digest('md5', message), nodeCrypto.digest('sha1', message));
  const block = concat(Uint8Array.of(0, 1), new Uint8Array(89).fill(255), Uint8Array.of(0), digests);
  const raw = (encoded: Uint8Array): Uint8Array => {
    const key = createPrivateKey({ key: Buffer.from(rsaKey.exportPkcs8()), format: 'der', type: 'pkcs8' });
    return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
  };

  test.each(PROVIDERS)('of the $name provider are the padded digests', (provider) => {
    expect(provider.sign(algorithm, rsaKey, message)).toEqual(new Uint8Array(raw(block)));
    expect(provider.verify(algorithm, rsaKey.publicKey, message, raw(block))).toBe(true);
  });

  test.each(PROVIDERS)('are what the $name provider signs of a digest that is given', (provider) => {
    const none = { name: 'rsa-pkcs1', hash: 'none' } as const;
    expect(provider.sign(none, rsaKey, digests)).toEqual(new Uint8Array(raw(block)));
    expect(provider.verify(none, rsaKey.publicKey, digests, raw(block))).toBe(true);
    expect(provider.verify(none, rsaKey.publicKey, digests.subarray(1), raw(block))).toBe(false);
    expect(provider.verify(none, rsaKey.publicKey, message, raw(block))).toBe(false);
    // At least eight bytes of padding and three of frame (RFC 8017 §9.2).
    expect(provider.sign(none, rsaKey, new Uint8Array(117))).toHaveLength(128);
    expect(() => provider.sign(none, rsaKey, new Uint8Array(118))).toThrow(
      expect.objectContaining({ code: 'bad-key' }),
    );
  });

  test.each(PROVIDERS)(
    'that are padded or composed in any other way the $name provider refuses',
    (provider) => {
      const withInfo = provider.sign({ name: 'rsa-pkcs1', hash: 'sha1' }, rsaKey, message);
      expect(provider.verify(algorithm, rsaKey.publicKey, message, withInfo)).toBe(false);
      const changed = [0, 1, 2, 50, 90, 91, 92, 127].map((at) => {
        const copy = block.slice();
        copy[at]! ^= 2;
        return copy;
      });
      // The digests early, with what an attacker likes behind them (CVE-2006-4339), and one digest alone.
      const early = concat(
        Uint8Array.of(0, 1),
        new Uint8Array(8).fill(255),
        Uint8Array.of(0),
        digests,
        new Uint8Array(81),
      );
      const sha1Only = concat(
        Uint8Array.of(0, 1),
        new Uint8Array(105).fill(255),
        Uint8Array.of(0),
        digests.subarray(16),
      );
      for (const other of [...changed, early, sha1Only])
        expect(provider.verify(algorithm, rsaKey.publicKey, message, raw(other))).toBe(false);
      for (const length of [0, 127, 129])
        expect(provider.verify(algorithm, rsaKey.publicKey, message, new Uint8Array(length))).toBe(false);
      const ec = provider.generateKey(ecSpec);
      expect(() => provider.sign(algorithm, ec, message)).toThrowError(refusal('bad-key'));
    },
  );
});

describe('DSA', () => {
  const key = nodeCrypto.generateKey({ type: 'dsa', bits: 1024 });

  test('signs and verifies with the node provider', () => {
    expect(key.kind).toEqual({ type: 'dsa', bits: 1024 });
    const again = nodeCrypto.importPrivateKey(key.exportPkcs8());
    for (const hash of ['sha1', 'sha256'] as const) {
      const signature = nodeCrypto.sign({ name: 'dsa', hash }, again, utf8('x'));
      expect(nodeCrypto.verify({ name: 'dsa', hash }, key.publicKey, utf8('x'), signature)).toBe(true);
      expect(nodeCrypto.verify({ name: 'dsa', hash }, key.publicKey, utf8('y'), signature)).toBe(false);
      expect(nodeCrypto.verify({ name: 'ecdsa', hash }, key.publicKey, utf8('x'), signature)).toBe(false);
    }
    for (const bits of [512, 1025, 4096])
      expect(() => nodeCrypto.generateKey({ type: 'dsa', bits })).toThrowError(refusal('unsupported'));
  });

  test('is unsupported by the portable provider', () => {
    expect(() => portableCrypto.importPublicKey(key.publicKey.spki)).toThrowError(refusal('unsupported'));
    expect(() => portableCrypto.importPrivateKey(key.exportPkcs8())).toThrowError(refusal('unsupported'));
    expect(() => portableCrypto.generateKey({ type: 'dsa', bits: 1024 })).toThrowError(
      refusal('unsupported'),
    );
    expect(() => portableCrypto.sign({ name: 'dsa', hash: 'sha1' }, key, utf8('x'))).toThrowError(
      refusal('unsupported'),
    );
    const signature = nodeCrypto.sign({ name: 'dsa', hash: 'sha1' }, key, utf8('x'));
    expect(portableCrypto.verify({ name: 'dsa', hash: 'sha1' }, key.publicKey, utf8('x'), signature)).toBe(
      false,
    );
  });
});

test('the node provider has 3DES', () => {
  // FIPS 81's sample key thrice is DES; "Now is t" encrypts to this in its ECB example, and so in CBC from zeros.
  const key = fromHex('0123456789abcdef'.repeat(3));
  const cipher = nodeCrypto.cipher('3des-cbc', 'encrypt', key, new Uint8Array(8))!;
  expect(cipher.update(utf8('Now is t'))).toEqual(fromHex('3fa40e8a984d4815'));
});
