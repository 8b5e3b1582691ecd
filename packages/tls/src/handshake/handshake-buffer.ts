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
  #bytes: Uint8Array = NOTHING;
  #offset = 0;
  #end = 0;
  readonly #limits: MessageLimits;
  /** Whether what waits began where other records may stand between its pieces. */
  sharesWithData = false;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /** True when no part of a message waits: only then may keys change (RFC 9846 §5.1). */
  get isEmpty(): boolean {
    return this.#offset === this.#end;
  }

  /** @param sharesWithData whether other records may stand between the pieces of what begins here. Default: no. */
  push(fragment: Uint8Array, sharesWithData = false): void {
    if (this.isEmpty) {
      this.sharesWithData = sharesWithData;
      this.#bytes = fragment;
      this.#offset = 0;
      this.#end = fragment.length;
      return;
    }
    const have = this.#end - this.#offset;
    if (this.#end + fragment.length > this.#bytes.length) {
      // No more than the message is long, of which many peers may send a part only.
      const wanted = Math.min(2 * have, this.#length() ?? Number.POSITIVE_INFINITY);
      const larger = new Uint8Array(Math.max(wanted, have + fragment.length));
      larger.set(this.#bytes.subarray(this.#offset, this.#end));
      this.#bytes = larger;
      this.#offset = 0;
      this.#end = have;
    }
    this.#bytes.set(fragment, this.#end);
    this.#end += fragment.length;
  }

  /** Of the message that waits, with its header; undefined as long as that is not known. */
  #length(): number | undefined {
    const at = this.#offset;
    if (this.#end - at < HANDSHAKE_HEADER) return undefined;
    const bytes = this.#bytes;
    return HANDSHAKE_HEADER + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }

  /**
   * The next whole message, or undefined. Throws `message-too-long` as soon as the header tells, or `malformed-message`
   * where it is the syntax that says so.
   */
  next(): RawMessage | undefined {
    const at = this.#offset;
    const whole = this.#length();
    if (whole === undefined) return undefined;
    const bytes = this.#bytes;
    const type = bytes[at]!;
    const length = whole - HANDSHAKE_HEADER;
    const most = longest(type, this.#limits);
    if (length > most) {
      const code = SHORT.has(type) ? 'malformed-message' : 'message-too-long';
      throw new TlsError(code, `${handshakeTypeName(type)} of ${length} bytes, more than ${most}`);
    }
    const end = at + whole;
    if (this.#end < end) return undefined;
    this.#offset = end;
    // Nothing of it is kept while the connection is idle.
    if (end === this.#end) this.#bytes = NOTHING;
    // A view is safe: later fragments are only written behind it, or to another buffer.
    return { type, raw: bytes.subarray(at, end) };
  }
}

const NOTHING = new Uint8Array(0);

/** Messages whose length is settled: one that is longer does not conform to the syntax, which is decode_error (RFC 9846 §6.2). */
const SHORT: ReadonlySet<number> = new Set([
  HANDSHAKE_TYPE.hello_request,
  HANDSHAKE_TYPE.end_of_early_data,
  HANDSHAKE_TYPE.server_hello_done,
  HANDSHAKE_TYPE.finished,
  HANDSHAKE_TYPE.key_update,
]);
/** The longest hash there is, in bytes, for Finished; what is shorter is judged where it is read. */
const LONGEST_SHORT = 64;

/** In bytes, without the header. */
interface MessageLimits {
  readonly handshakeMessage: number;
  readonly certificateMessage: number;
}

function longest(type: number, limits: MessageLimits): number {
  if (SHORT.has(type)) return LONGEST_SHORT;
  const isCertificate = type === HANDSHAKE_TYPE.certificate || type === HANDSHAKE_TYPE.compressed_certificate;
  return isCertificate ? limits.certificateMessage : limits.handshakeMessage;
}
