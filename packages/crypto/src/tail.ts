import { concat } from '@testudo/codec';
import { CryptoError } from './errors.ts';
import { MAX_TAIL } from './provider.ts';

/** The length of the second piece of a plaintext. Throws {@link CryptoError} `bad-length` when it is longer than it may be. */
export function tailLength(tail: Uint8Array | undefined): number {
  if (tail === undefined) return 0;
  if (tail.length > MAX_TAIL)
    throw new CryptoError('bad-length', `the tail of a plaintext has at most ${MAX_TAIL} bytes`);
  return tail.length;
}

/** Both pieces as one, for a mode that takes no two. */
export function withTail(plaintext: Uint8Array, tail: Uint8Array): Uint8Array {
  tailLength(tail);
  return concat(plaintext, tail);
}
