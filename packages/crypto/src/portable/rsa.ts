import { CryptoError } from '../errors.ts';
import { modularInverse, modularPower, toBytes, toInteger } from './integers.ts';
import { randomBytes } from './random.ts';

export interface RsaPublicKey {
  readonly modulus: bigint;
  readonly exponent: bigint;
  /** Length of the modulus in bytes, k in RFC 8017. */
  readonly length: number;
}

export interface RsaPrivateKey extends RsaPublicKey {
  readonly primeP: bigint;
  readonly primeQ: bigint;
  readonly exponentP: bigint;
  readonly exponentQ: bigint;
  /** The inverse of q mod p. */
  readonly coefficient: bigint;
}

/**
 * RSAVP1 (RFC 8017 §5.2.2), on public values only: the encoded message, or undefined for a signature out of range.
 */
export function rsaPublicOperation(key: RsaPublicKey, input: Uint8Array): Uint8Array | undefined {
  if (input.length !== key.length) return undefined;
  const value = toInteger(input);
  if (value >= key.modulus) return undefined;
  return toBytes(modularPower(value, key.exponent, key.modulus), key.length);
}

/**
 * RSASP1 (RFC 8017 §5.2.1) by the Chinese remainder theorem.
 *
 * BigInt arithmetic is not constant in time. So the input is blinded by a random factor, and each exponent by a random
 * multiple of its prime's order: what an observer times has no fixed relation to the key. That is fit for a client
 * that signs now and then; a busy server should use the node provider. The result is checked with the public key
 * before it leaves, since a faulty one would give away a factor (RFC 8017 §5.2.1, Boneh-DeMillo-Lipton).
 */
export function rsaPrivateOperation(key: RsaPrivateKey, encoded: Uint8Array): Uint8Array {
  const input = toInteger(encoded);
  const { factor, inverse } = blinding(key);
  const blinded = (input * modularPower(factor, key.exponent, key.modulus)) % key.modulus;
  const p = modularPower(blinded % key.primeP, randomized(key.exponentP, key.primeP), key.primeP);
  const q = modularPower(blinded % key.primeQ, randomized(key.exponentQ, key.primeQ), key.primeQ);
  const difference = (((p - q) % key.primeP) + key.primeP) % key.primeP;
  const signed = q + key.primeQ * ((difference * key.coefficient) % key.primeP);
  const result = (signed * inverse) % key.modulus;
  if (modularPower(result, key.exponent, key.modulus) !== input)
    throw new CryptoError('bad-key', 'an RSA private key whose parts do not match');
  return toBytes(result, key.length);
}

function blinding(key: RsaPublicKey): { readonly factor: bigint; readonly inverse: bigint } {
  for (;;) {
    // Eight bytes more than the modulus: the remainder is then as good as uniform.
    const factor = toInteger(randomBytes(key.length + 8)) % key.modulus;
    const inverse = modularInverse(factor, key.modulus);
    if (inverse !== undefined) return { factor, inverse };
  }
}

/** The same exponent mod p - 1, but another number each time. */
function randomized(exponent: bigint, prime: bigint): bigint {
  return exponent + toInteger(randomBytes(8)) * (prime - 1n);
}
