import { AEAD_NONCE_LENGTH } from '@testudo/crypto';

/** A per-record nonce: the static IV with the record's sequence number XORed in (RFC 9846 §5.3, RFC 7905 §2). */
export class RecordNonce {
  readonly #iv: Uint8Array;

  constructor(iv: Uint8Array) {
    this.#iv = iv;
  }

  /** The nonce of a sequence number. The same bytes are used for the next call, of whichever connection. */
  at(sequence: number): Uint8Array {
    const iv = this.#iv;
    const nonce = NONCE;
    nonce.set(iv);
    const last = nonce.length - 1;
    let rest = sequence;
    for (let i = 0; i < 7; i++) {
      nonce[last - i] = iv[last - i]! ^ (rest & 0xff);
      rest = Math.floor(rest / 256);
    }
    return nonce;
  }
}

/** One for all: a nonce is no longer needed when the record is sealed or opened. */
const NONCE = new Uint8Array(AEAD_NONCE_LENGTH);
