import { equalMask, lessThanMask, select } from '@testudo/crypto';

/** What the end of a decrypted block-cipher record says; both are secret until the MAC was found right. */
export interface Padding {
  /** All ones when it has the right form, else 0. */
  readonly isRight: number;
  /** Bytes, with the one that tells the length; 1 when it is not right, so that the MAC is computed all the same. */
  readonly length: number;
}

/** The longest padding of TLS: 255 bytes and the one that tells the length. */
export const MAX_PADDING = 256;

/**
 * GenericBlockCipher's padding (RFC 5246 §6.2.3.2): every byte tells how many there are. Runs the same statements whatever
 * the bytes are. `least` bytes (the MAC) must be left; `plaintext` is longer than that.
 */
export function tlsPadding(plaintext: Uint8Array, least: number): Padding {
  const end = plaintext.length - 1;
  const last = plaintext[end]!;
  let isRight = ~lessThanMask(plaintext.length, last + 1 + least);
  const most = Math.min(MAX_PADDING, plaintext.length);
  for (let i = 0; i < most; i++) {
    const isPadding = lessThanMask(i, last + 1);
    isRight &= ~isPadding | equalMask(plaintext[end - i]!, last);
  }
  return { isRight, length: select(isRight, last + 1, 1) };
}
