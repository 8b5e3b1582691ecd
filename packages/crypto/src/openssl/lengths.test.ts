import { describe, expect, test } from 'vitest';
import { AEAD_SIZES, type AeadName, type CurveName, type PublicKey } from '../index.ts';
import { nodeCrypto } from '../node/index.ts';
import { encodeRsaSpki } from '../spki.ts';
import { opensslCrypto } from './index.ts';

const provider = opensslCrypto();
const NOTHING = new Uint8Array(0);
const badLength = expect.objectContaining({ code: 'bad-length' });
// More than a C int holds. The system gives such memory when it is written to, which nobody does.
const HUGE = new Uint8Array(2 ** 31);
const aeads = (Object.keys(AEAD_SIZES) as AeadName[]).filter(
  (name) => provider.aead(name, new Uint8Array(AEAD_SIZES[name].key)) !== undefined,
);

describe('lengths that a call cannot be told are refused before it', () => {
  test.each(aeads)('%s', (name) => {
    const aead = provider.aead(name, new Uint8Array(AEAD_SIZES[name].key))!;
    const nonce = new Uint8Array(12);
    const sealed = new Uint8Array(1000);
    expect(() => aead.seal(nonce, HUGE, sealed.subarray(0, 900), sealed, 0)).toThrow(badLength);
    expect(() => aead.seal(nonce, NOTHING, HUGE, HUGE, 0)).toThrow(badLength);
    expect(() => aead.open(nonce, HUGE, sealed)).toThrow(badLength);
    expect(() => aead.seal(nonce, NOTHING, sealed, sealed, 0)).toThrow(badLength);
    for (const at of [-1, -0.5, Number.NaN, 1000, 2 ** 32, Number.POSITIVE_INFINITY])
      expect(() => aead.seal(nonce, NOTHING, NOTHING, sealed, at)).toThrow(badLength);
    for (const length of [0, 11, 13, 2000])
      expect(() => aead.seal(new Uint8Array(length), NOTHING, NOTHING, sealed, 0)).toThrow(badLength);
    // It works on as if nothing had been.
    aead.seal(nonce, NOTHING, sealed.subarray(0, 900), sealed, 0);
    expect(aead.open(nonce, NOTHING, sealed.subarray(0, 900 + aead.tagLength))).toEqual(new Uint8Array(900));
  });

  test.each(['aes-128-cbc', 'aes-256-ecb'] as const)('%s', (name) => {
    const [key, iv] = [new Uint8Array(name.includes('256') ? 32 : 16), new Uint8Array(16)];
    const cipher = provider.cipher(name, 'encrypt', key, name.endsWith('ecb') ? NOTHING : iv)!;
    expect(() => cipher.update(HUGE, HUGE)).toThrow(badLength);
    expect(cipher.update(new Uint8Array(32)).length).toBe(32);
  });
});

describe('memory of any kind', () => {
  const kinds: Record<string, (length: number) => Uint8Array> = {
    'shared between threads': (length) => new Uint8Array(new SharedArrayBuffer(length)),
    resizable: (length) => new Uint8Array(resizable(length)),
    'of the pool of Buffers': (length) => Buffer.allocUnsafe(length),
    'of WebAssembly': (length) =>
      new Uint8Array(new WebAssembly.Memory({ initial: 2 }).buffer).subarray(5, 5 + length),
    'in the middle': (length) => new Uint8Array(length + 100).subarray(50, 50 + length),
  };

  test.each(Object.entries(kinds))('%s', (_, make) => {
    for (const name of aeads)
      for (const length of [1, 64, 65, 3000]) {
        const aead = provider.aead(name, nodeCrypto.randomBytes(AEAD_SIZES[name].key))!;
        const [nonce, text] = [nodeCrypto.randomBytes(12), nodeCrypto.randomBytes(length)];
        const additional = make(100);
        additional.set(nodeCrypto.randomBytes(100));
        const memory = make(length + aead.tagLength);
        memory.set(text);
        aead.seal(nonce, additional, memory.subarray(0, length), memory, 0);
        const apart = make(length);
        expect(aead.open(nonce, additional, memory, apart)!.every((byte, i) => byte === text[i])).toBe(true);
        expect(aead.open(nonce, additional, memory, memory)!.every((byte, i) => byte === text[i])).toBe(true);
      }
    const data = make(3000);
    data.set(nodeCrypto.randomBytes(3000));
    expect(provider.digest('sha256', data)).toEqual(nodeCrypto.digest('sha256', new Uint8Array(data)));
  });

  test('what was taken away is empty, or refused', () => {
    const gone = new Uint8Array(5000);
    structuredClone(gone, { transfer: [gone.buffer] });
    const aead = provider.aead('aes-128-gcm', new Uint8Array(16))!;
    const [nonce, sealed] = [new Uint8Array(12), new Uint8Array(16)];
    expect(() => aead.seal(nonce, NOTHING, gone, sealed, 0)).toThrow(TypeError);
    aead.seal(nonce, gone, NOTHING, sealed, 0);
    expect(aead.open(nonce, gone, sealed, gone)).toEqual(NOTHING);
    expect(aead.open(nonce, gone, gone)).toBeUndefined();
    expect(() => aead.seal(nonce, NOTHING, NOTHING, gone, 0)).toThrow(badLength);
    const cipher = provider.cipher('aes-128-cbc', 'encrypt', new Uint8Array(16), new Uint8Array(16))!;
    expect(cipher.update(gone, gone)).toEqual(NOTHING);
    expect(() => provider.digest('sha256', gone)).toThrow(TypeError);
    expect(provider.digest('sha256', NOTHING)).toEqual(nodeCrypto.digest('sha256', NOTHING));
    const shrunk = resizable(5000);
    const view = new Uint8Array(shrunk, 4000);
    shrunk.resize(100);
    expect(aead.open(nonce, view, sealed)).toEqual(NOTHING);
  });

  test('what is no array of bytes is no address', () => {
    const aead = provider.aead('aes-128-gcm', new Uint8Array(16))!;
    const out = new Uint8Array(2000);
    for (const wrong of ['x'.repeat(500), Array(500).fill(1), { length: 500 }, 500, new ArrayBuffer(500)])
      expect(() => aead.seal(new Uint8Array(12), NOTHING, wrong as never, out, 0)).toThrow();
    aead.seal(new Uint8Array(12), NOTHING, NOTHING, out, 0);
    expect(aead.open(new Uint8Array(12), NOTHING, out.subarray(0, 16))).toEqual(NOTHING);
  });
});

describe('numbers of every length that is taken', () => {
  test.each([505, 512, 1023, 2047, 4096, 16_384])('an RSA modulus of %d bits', (bits) => {
    const modulus = nodeCrypto.randomBytes(Math.ceil(bits / 8));
    modulus[0] = (modulus[0]! & (0xff >> (-bits % 8))) | (1 << ((bits - 1) % 8));
    modulus[modulus.length - 1]! |= 1;
    for (const exponent of [[3], [1, 0, 1], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]) {
      const spki = encodeRsaSpki('rsa', modulus, Uint8Array.from(exponent), undefined);
      // A key of somebody else's, too.
      for (const key of [nodeCrypto.importPublicKey(spki), foreign(nodeCrypto.importPublicKey(spki))])
        for (const length of [0, 1, modulus.length, modulus.length + 1, 2048, 2049, 100_000])
          expect(
            provider.verify({ name: 'rsa-pkcs1', hash: 'sha256' }, key, NOTHING, new Uint8Array(length)),
          ).toBe(false);
    }
  });

  test('a key of somebody else that says another thing than it is', () => {
    const kinds = [
      { type: 'rsa', bits: 1024 },
      { type: 'ec', curve: 'secp521r1' },
      { type: 'ed25519' },
    ] as const;
    const keys = kinds.map((kind) => nodeCrypto.generateKey(kind));
    const algorithms = [
      { name: 'rsa-pss', hash: 'sha256' },
      { name: 'ecdsa', hash: 'sha256' },
      { name: 'ed25519' },
    ] as const;
    for (const [i, kind] of kinds.entries())
      for (const key of keys) {
        const publicKey = { kind, spki: key.publicKey.spki };
        const privateKey = { kind, publicKey, exportPkcs8: () => key.exportPkcs8() };
        let signature: Uint8Array = new Uint8Array(64);
        expect(provider.verify(algorithms[i]!, publicKey, NOTHING, signature)).toBe(false);
        try {
          signature = provider.sign(algorithms[i]!, privateKey, NOTHING);
        } catch {
          expect(kind.type).not.toBe(key.kind.type);
        }
        expect(signature.length).toBeLessThanOrEqual(139);
      }
  });

  test.each(['x25519', 'x448', 'secp256r1', 'secp521r1'] as CurveName[])(
    'a public key of %s of any length',
    (curve) => {
      const key = provider.keyAgreement(curve)!.generate();
      const whole = new Uint8Array(key.publicKey);
      for (let length = 0; length < 200; length++) {
        const peer = new Uint8Array(length);
        peer.set(whole.subarray(0, length));
        if (length === whole.length) expect(key.agree(peer).length).toBeGreaterThan(30);
        else expect(() => key.agree(peer)).toThrow(expect.objectContaining({ code: 'bad-key' }));
      }
    },
  );

  test('all algorithms of a thread fit into its memory', () => {
    for (const name of Object.keys(AEAD_SIZES) as AeadName[])
      provider.aead(name, new Uint8Array(AEAD_SIZES[name].key));
    for (const name of ['ml-kem-768', 'ml-kem-1024'] as const) provider.kem(name)!.generate();
    for (const curve of [
      'x25519',
      'x448',
      'secp256r1',
      'secp384r1',
      'secp521r1',
      'brainpoolP256r1',
      'brainpoolP384r1',
      'brainpoolP512r1',
    ] as const)
      provider.keyAgreement(curve)?.generate();
    for (const hash of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const)
      expect(provider.mac(hash, NOTHING).digest()).toEqual(nodeCrypto.hmac(hash, NOTHING, NOTHING));
  });
});

function resizable(length: number): ArrayBuffer & { resize(length: number): void } {
  const options = { maxByteLength: 2 * length };
  return new (ArrayBuffer as unknown as new (length: number, options: object) => never)(length, options);
}

function foreign({ kind, spki }: PublicKey): PublicKey {
  return { kind, spki };
}
