import { CryptoError } from './errors.ts';
import { finiteFieldGroup } from './finite-field-groups.ts';
import { bitLength, compareMagnitudes, isEven, isZeroOrOne, withoutLeadingZeros } from './magnitudes.ts';

/** Why a group is not to be used. */
export type FiniteFieldFault = 'too-short' | 'too-long' | 'even-prime' | 'generator-out-of-range';

/**
 * What is plainly wrong with a group that a server chose: undefined when nothing is. That the prime is one is not checked
 * (it would take as long as the handshake): only a group that {@link finiteFieldGroup} knows is sure to be safe.
 *
 * @param limits length of the prime in bits: `minimum`, 2048 by default (1024 can be broken: Logjam, RFC 9325 §4.5), and
 *   `maximum`, 8192 by default (the work grows with the third power).
 */
export function finiteFieldFault(
  prime: Uint8Array,
  generator: Uint8Array,
  limits: { readonly minimum?: number; readonly maximum?: number } = {},
): FiniteFieldFault | undefined {
  const [p, g] = [withoutLeadingZeros(prime), withoutLeadingZeros(generator)];
  const bits = bitLength(p);
  if (bits < (limits.minimum ?? 2048)) return 'too-short';
  if (bits > (limits.maximum ?? MAX_BITS)) return 'too-long';
  if (isEven(p)) return 'even-prime';
  return isInnerElement(g, p) ? undefined : 'generator-out-of-range';
}

/** A group that a provider can calculate in. Numbers have no leading zeros. */
export interface UsableGroup {
  readonly prime: Uint8Array;
  readonly generator: Uint8Array;
  /** The peer's value as long as the prime. Throws {@link CryptoError} `bad-key` (RFC 7919 §5.1). */
  publicValue(bytes: Uint8Array): Uint8Array;
  /** A private exponent given from outside: 1 to p - 2. Throws {@link CryptoError} `bad-key`. */
  privateValue(bytes: Uint8Array): Uint8Array;
  /**
   * A fresh private exponent. It is short in known groups, since no subgroup but those of order 2 and (p - 1) / 2 can be
   * forced on us there (RFC 7919 §5.2), and a bit shorter than the prime in others. Its top bit is always set, so that its
   * length tells nothing.
   */
  freshExponent(randomBytes: (length: number) => Uint8Array): Uint8Array;
}

/** Takes what {@link CryptoProvider.finiteField} does; throws {@link CryptoError} `bad-key` as said there. */
export function usableGroup(prime: Uint8Array, generator: Uint8Array): UsableGroup {
  const fault = finiteFieldFault(prime, generator, { minimum: MIN_BITS });
  if (fault !== undefined) throw new CryptoError('bad-key', `an unusable Diffie-Hellman group: ${fault}`);
  const p = new Uint8Array(withoutLeadingZeros(prime));
  const g = new Uint8Array(withoutLeadingZeros(generator));
  const exponentBits = finiteFieldGroup(p, g)?.exponentBits ?? bitLength(p) - 1;
  return {
    prime: p,
    generator: g,
    publicValue(bytes: Uint8Array): Uint8Array {
      const value = withoutLeadingZeros(bytes);
      if (bytes.length > p.length || !isInnerElement(value, p))
        throw new CryptoError('bad-key', "the peer's Diffie-Hellman value is out of range");
      return leftPadded(value, p.length);
    },
    privateValue(bytes: Uint8Array): Uint8Array {
      const value = withoutLeadingZeros(bytes);
      const isOne = value.length === 1 && value[0] === 1;
      if (bytes.length > p.length || !(isOne || isInnerElement(value, p)))
        throw new CryptoError('bad-key', 'a Diffie-Hellman private key out of range');
      return new Uint8Array(value);
    },
    freshExponent(randomBytes: (length: number) => Uint8Array): Uint8Array {
      const bytes = randomBytes(Math.ceil(exponentBits / 8));
      const top = 0x80 >> (8 * bytes.length - exponentBits);
      bytes[0] = (bytes[0]! & (top - 1)) | top;
      return bytes;
    },
  };
}

export function leftPadded(value: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(value, length - value.length);
  return bytes;
}

/** 2 to p - 2 (RFC 9846 §4.3.8.1, RFC 7919 §5.1): 0, 1 and p - 1 give secrets that anybody knows. The prime is odd. */
function isInnerElement(value: Uint8Array, prime: Uint8Array): boolean {
  if (isZeroOrOne(value)) return false;
  // Not `slice`, which a Buffer shares its memory with.
  const minusOne = new Uint8Array(prime);
  minusOne[minusOne.length - 1]! -= 1;
  return compareMagnitudes(value, minusOne) < 0;
}

/** Shortest and longest prime that is calculated with, in bits: the one is what export suites had. */
const MIN_BITS = 512;
const MAX_BITS = 8192;
