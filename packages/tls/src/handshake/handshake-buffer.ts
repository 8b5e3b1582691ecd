import { TlsError } from '../errors.ts';
import {
  HANDSHAKE_HEADER,
  HANDSHAKE_TYPE,
  handshakeTypeName,
  type RawMessage,
} from '../messages/handshake-type.ts';

/**
 * Joins handshake records into messages (RFC 9846 §5.1: a message may span records, a record may hold several).
 * Memory is bounded by the longest message that is accepted.
 */
export class HandshakeBuffer {
  #bytes: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #end = 0;
  readonly #maxLength: (type: number) => number;

  constructor(limits: { handshakeMessage: number; certificateMessage: number }) {
    this.#maxLength = (type) =>
      type === HANDSHAKE_TYPE.certificate || type === HANDSHAKE_TYPE.compressed_certificate
        ? limits.certificateMessage
        : limits.handshakeMessage;
  }

  /** True when no part of a message waits: only then may keys change (RFC 9846 §5.1). */
  get isEmpty(): boolean {
    return this.#offset === this.#end;
  }

  push(fragment: Uint8Array): void {
    if (this.isEmpty) {
      this.#bytes = fragment;
      this.#offset = 0;
      this.#end = fragment.length;
      return;
    }
    const have = this.#end - this.#offset;
    if (this.#end + fragment.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * have, have + fragment.length));
      larger.set(this.#bytes.subarray(this.#offset, this.#end));
      this.#bytes = larger;
      this.#offset = 0;
      this.#end = have;
    }
    this.#bytes.set(fragment, this.#end);
    this.#end += fragment.length;
  }

  /** The next whole message, or undefined. Throws `message-too-long` as soon as the header tells. */
  next(): RawMessage | undefined {
    const at = this.#offset;
    if (this.#end - at < HANDSHAKE_HEADER) return undefined;
    const bytes = this.#bytes;
    const type = bytes[at]!;
    const length = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (length > this.#maxLength(type)) {
      throw new TlsError(
        'message-too-long',
        `${handshakeTypeName(type)} of ${length} bytes, more than ${this.#maxLength(type)}`,
      );
    }
    const end = at + HANDSHAKE_HEADER + length;
    if (this.#end < end) return undefined;
    this.#offset = end;
    // A view is safe: later fragments are only written behind it, or to another buffer.
    return { type, raw: bytes.subarray(at, end) };
  }
}
