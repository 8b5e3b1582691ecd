import { CryptoError } from './errors.ts';
import type { DecapsulationKey, Kem, KemName } from './provider.ts';

/** Given and not imported: on Node it is loaded when first needed, which for most programs is never. */
export type NobleMlKem = Pick<typeof import('@noble/post-quantum/ml-kem.js'), 'ml_kem768' | 'ml_kem1024'>;

/** ML-KEM (FIPS 203) by noble: everywhere in the portable provider, and on a Node whose OpenSSL lacks it. */
export function nobleKem(name: KemName, noble: NobleMlKem): Kem {
  const kem = name === 'ml-kem-768' ? noble.ml_kem768 : noble.ml_kem1024;
  const ciphertextLength = kem.lengths.cipherText!;

  function decapsulationKey(seed?: Uint8Array): DecapsulationKey {
    const { publicKey, secretKey } = kem.keygen(seed);
    return {
      encapsulationKey: publicKey,
      decapsulate(ciphertext: Uint8Array): Uint8Array {
        if (ciphertext.length !== ciphertextLength)
          throw new CryptoError('bad-length', `${name} takes a ciphertext of ${ciphertextLength} bytes`);
        return kem.decapsulate(ciphertext, secretKey);
      },
    };
  }

  return {
    isNative: false,
    generate: () => decapsulationKey(),
    fromSeed(seed: Uint8Array): DecapsulationKey {
      if (seed.length !== 64) throw new CryptoError('bad-length', `${name} takes a seed of 64 bytes`);
      return decapsulationKey(seed);
    },
    encapsulate(encapsulationKey: Uint8Array) {
      try {
        const { cipherText, sharedSecret } = kem.encapsulate(encapsulationKey);
        return { ciphertext: cipherText, sharedSecret };
      } catch {
        throw new CryptoError('bad-key', `not an encapsulation key of ${name}`);
      }
    },
  };
}
