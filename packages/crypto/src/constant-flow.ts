import { CryptoError } from './errors.ts';

/**
 * Helpers for secrets whose shape must not show: the padding of a decrypted block, the place of a MAC in a record.
 *
 * Constant flow means: which statements run, how often, and which places of memory they touch depends on lengths only,
 * which are public, and never on secret bytes. There is no `if`, `?:`, `&&`, comparison or index on a secret here; what
 * is chosen is chosen by masks (all ones or all zeros).
 *
 * That is all that JavaScript allows, and it is not "constant time". The language promises nothing about time; an
 * engine may compile a function anew in the middle of a run when it meets kinds of values that it has not met before.
 * So values are kept to what engines hold as machine integers: bytes and small integers, never -0 nor anything over 31
 * bits. Nothing here hides from someone on the same machine who watches caches, and
 * garbage collection copies secrets as it likes. It defends against measuring over a network.
 *
 * Masks are 0 or -1, which is all ones as a signed integer.
 */

/** All ones when two integers from 0 to 2^31 - 1 are equal, else 0. */
export function equalMask(a: number, b: number): number {
  return ((a ^ b) - 1) >> 31;
}

/** All ones when `a < b`, for integers from 0 to 2^31 - 1, else 0. */
export function lessThanMask(a: number, b: number): number {
  return (a - b) >> 31;
}

/** `a` when the mask is all ones, `b` when it is 0. */
export function select(mask: number, a: number, b: number): number {
  return b ^ (mask & (a ^ b));
}

/** All ones when two byte arrays are equal. Throws `bad-length` when their lengths, which are public, differ. */
export function equalBytesMask(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new CryptoError('bad-length', 'only equal lengths can be compared');
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return equalMask(difference, 0);
}

/** `a` when the mask is all ones, `b` when it is 0, as fresh bytes. Throws `bad-length` when their lengths differ. */
export function selectBytes(mask: number, a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length !== b.length) throw new CryptoError('bad-length', 'only equal lengths can be chosen from');
  const out = new Uint8Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = select(mask, a[i]!, b[i]!);
  return out;
}

/**
 * The `length` bytes of `source` from `offset` on, where `offset` is secret (a MAC before padding of unknown length).
 * All places from `from` to `to` are read whatever the offset is, so the work is `length * (to - from + 1)` steps.
 *
 * @param from the least offset that is possible, which is public; default 0.
 * @param to the greatest one; default the last at which `length` bytes are left.
 * @returns fresh bytes; zeros when the offset is outside of `from` to `to`. Throws `bad-length` when `source` ends before
 *   `to + length`.
 */
export function copySecretOffset(
  source: Uint8Array,
  offset: number,
  length: number,
  from = 0,
  to: number = source.length - length,
): Uint8Array {
  if (from < 0 || to < from || to + length > source.length)
    throw new CryptoError('bad-length', 'the range to select from goes beyond the source');
  const out = new Uint8Array(length);
  for (let at = from; at <= to; at++) {
    const mask = equalMask(at, offset);
    for (let i = 0; i < length; i++) out[i] = out[i]! | (source[at + i]! & mask);
  }
  return out;
}

/**
 * Takes the padding of PKCS #1 v1.5 encryption (RFC 8017 §7.2.2) off a block as {@link CryptoProvider.rsaDecryptRaw} gives
 * it, for a message whose length is known: a premaster secret. When the padding is wrong, or the message has any other
 * length, the fallback (as many random bytes) comes instead, and nobody can tell (RFC 5246 §7.4.7.1). With a known
 * length, right padding has but one shape: 00 02, bytes that are not zero up to the message, one zero before it.
 *
 * @param block as long as the modulus.
 * @param length of the message in bytes; the block must have 11 more (at least eight of padding). Throws `bad-length`.
 * @param fallback `length` bytes, drawn before the block was looked at.
 */
export function unpadPkcs1(block: Uint8Array, length: number, fallback: Uint8Array): Uint8Array {
  const start = block.length - length;
  if (length < 0 || start < 11 || fallback.length !== length)
    throw new CryptoError('bad-length', 'no room for the padding, or a fallback of the wrong length');
  let isRight = equalMask(block[0]!, 0) & equalMask(block[1]!, 2) & equalMask(block[start - 1]!, 0);
  for (let i = 2; i < start - 1; i++) isRight &= ~equalMask(block[i]!, 0);
  return selectBytes(isRight, block.subarray(start), fallback);
}
