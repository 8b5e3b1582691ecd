import type { Codec } from '@testudo/codec';
import { DecodeError, decode, encode } from '@testudo/codec';
import { TlsError } from '../errors.ts';

/** What became of hostile bytes: the same bytes again, a refusal, or something that must not be. */
export type Fate = 'the same' | 'refused' | string;

/** Decodes bytes and encodes what came out: it must give the same bytes, or the one kind of error a codec may throw. */
export function fateOf(codec: Codec<unknown>, bytes: Uint8Array, isSame: typeof same = same): Fate {
  let value: unknown;
  try {
    value = decode(codec, bytes);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof TlsError) return 'refused';
    return `an exception: ${error}`;
  }
  const again = encode(codec, value);
  return isSame(again, bytes) ? 'the same' : `other bytes: ${again} for ${bytes}`;
}

/** Byte for byte. */
export function same(again: Uint8Array, bytes: Uint8Array): boolean {
  return again.length === bytes.length && again.every((byte, at) => byte === bytes[at]);
}

/** As {@link same}, but an extension block without extensions may have been left out (RFC 5246 §7.4.1.2). */
export function sameButForEmptyBlock(again: Uint8Array, bytes: Uint8Array): boolean {
  if (same(again, bytes)) return true;
  const rest = bytes.length - again.length;
  return rest === 2 && bytes.at(-1) === 0 && bytes.at(-2) === 0 && same(again, bytes.subarray(0, -2));
}
