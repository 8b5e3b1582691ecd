import crypto, { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { concat, fromHex } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import { nobleKem } from '../noble-kem.ts';
import type { DecapsulationKey, Kem, KemName } from '../provider.ts';
import { plain } from './bytes.ts';
import { nobleMlKem } from './noble.ts';

/** OpenSSL's ML-KEM where Node has it (24.7, with OpenSSL 3.5), which is ten times as fast as noble's. */
export function kem(name: KemName): Kem | undefined {
  return KEMS[name]?.();
}

const KEMS: Readonly<Record<KemName, () => Kem>> = {
  'ml-kem-768': once(() =>
    isNative() ? nativeKem('ml-kem-768', 1184, 1088, 2) : nobleKem('ml-kem-768', nobleMlKem()),
  ),
  'ml-kem-1024': once(() =>
    isNative() ? nativeKem('ml-kem-1024', 1568, 1568, 3) : nobleKem('ml-kem-1024', nobleMlKem()),
  ),
};

/** What the types of Node 20 do not know. */
interface NativeKem {
  encapsulate(key: KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer;
  generateKeyPairSync(
    type: KemName,
    options: { readonly publicKeyEncoding: { readonly format: 'der'; readonly type: 'spki' } },
  ): { readonly publicKey: Buffer; readonly privateKey: KeyObject };
}
const native = crypto as unknown as NativeKem;

const SPKI = { publicKeyEncoding: { format: 'der', type: 'spki' } } as const;

function isNative(): boolean {
  if (typeof native.encapsulate !== 'function') return false;
  try {
    native.generateKeyPairSync('ml-kem-768', SPKI);
    return true;
  } catch {
    return false; // a build on an OpenSSL before 3.5
  }
}

/** `arc` is the last one of the algorithm's object identifier, under 2.16.840.1.101.3.4.4. */
function nativeKem(name: KemName, keyLength: number, ciphertextLength: number, arc: number): Kem {
  const algorithm = Uint8Array.of(...fromHex('300b060960864801650304 04'), arc);
  const contents = 1 + keyLength;
  const spkiPrefix = concat(
    der(0x30, algorithm.length + 4 + contents),
    algorithm,
    der(0x03, contents),
    Uint8Array.of(0),
  );
  // RFC 9935 §6: version 0, the algorithm, and the seed as [0] in the private key.
  const pkcs8Prefix = concat(fromHex('3054020100'), algorithm, fromHex('04428040'));

  function decapsulationKey(privateKey: KeyObject, spki: Uint8Array): DecapsulationKey {
    return {
      encapsulationKey: plain(spki).slice(spkiPrefix.length),
      decapsulate(ciphertext: Uint8Array): Uint8Array {
        if (ciphertext.length !== ciphertextLength)
          throw new CryptoError('bad-length', `${name} takes a ciphertext of ${ciphertextLength} bytes`);
        return plain(native.decapsulate(privateKey, ciphertext));
      },
    };
  }

  return {
    isNative: true,
    generate(): DecapsulationKey {
      // Encoded here and not exported later: see agreement.ts.
      const pair = native.generateKeyPairSync(name, SPKI);
      return decapsulationKey(pair.privateKey, pair.publicKey);
    },
    fromSeed(seed: Uint8Array): DecapsulationKey {
      if (seed.length !== 64) throw new CryptoError('bad-length', `${name} takes a seed of 64 bytes`);
      const key = Buffer.from(concat(pkcs8Prefix, seed));
      const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
      key.fill(0);
      const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
      return decapsulationKey(privateKey, spki);
    },
    encapsulate(encapsulationKey: Uint8Array) {
      try {
        if (encapsulationKey.length === keyLength) {
          const key = Buffer.from(concat(spkiPrefix, encapsulationKey));
          const made = native.encapsulate(createPublicKey({ key, format: 'der', type: 'spki' }));
          return { ciphertext: plain(made.ciphertext), sharedSecret: plain(made.sharedKey) };
        }
      } catch {
        // OpenSSL checks that every coefficient is reduced (FIPS 203 §7.2).
      }
      throw new CryptoError('bad-key', `not an encapsulation key of ${name}`);
    },
  };
}

function der(tag: number, length: number): Uint8Array {
  return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff);
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
