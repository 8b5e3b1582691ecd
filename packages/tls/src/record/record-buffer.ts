import { TlsError } from '../errors.ts';
import {
  ALERT,
  APPLICATION_DATA,
  CHANGE_CIPHER_SPEC,
  HANDSHAKE,
  HEARTBEAT,
  MAX_PLAINTEXT,
  RECORD_HEADER,
  SSL2_HELLO,
} from './content-type.ts';

/** The most that protection may add in any version: 2,048 bytes (RFC 5246 §6.2.3). */
const MAX_EXPANSION_12 = 2048;
/** In TLS 1.3: 256 bytes (RFC 9846 §5.2). */
const MAX_EXPANSION_13 = 256;

const EMPTY = new Uint8Array(0);

/** One record as it came; `bytes` is the whole of it, header included. */
export interface RawRecord {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Nobody else has this memory: the plaintext may take the place of the ciphertext. */
  readonly isOwned?: boolean;
}

/**
 * Cuts the transport's bytes into records. A record that lies whole in a chunk is a view on it; only one that
 * straddles chunks is joined. Holds at most one record's worth of bytes beyond what was fed.
 */
export class RecordBuffer {
  #chunks: Uint8Array[] = [];
  /** Bytes in the chunks. */
  #waiting = 0;
  #current: Uint8Array = EMPTY;
  #offset = 0;
  /** All that is buffered belongs to the connection. */
  #isOwned = true;
  #first = true;
  #takesHeartbeats = false;
  #takesSsl2Hello = false;
  #maxLength = MAX_PLAINTEXT + MAX_EXPANSION_12;

  /** Bytes that were fed and not yet handed out. */
  get buffered(): number {
    return this.#waiting + this.#current.length - this.#offset;
  }

  /** From now on no record may be longer than TLS 1.3 allows. */
  useTls13Limit(): void {
    this.#maxLength = MAX_PLAINTEXT + MAX_EXPANSION_13;
  }

  /** Heartbeats were agreed on. */
  takeHeartbeats(): void {
    this.#takesHeartbeats = true;
  }

  /** The first record may be a hello in SSL 2.0's form: then its type is {@link SSL2_HELLO}, and its header two bytes long. */
  takeSsl2Hello(): void {
    this.#takesSsl2Hello = true;
  }

  /** @param isOwned whether the chunk is given away: nobody else reads or writes it any more. */
  push(chunk: Uint8Array, isOwned = false): void {
    if (this.buffered === 0) {
      this.#current = chunk;
      this.#offset = 0;
      this.#isOwned = isOwned;
    } else {
      this.#isOwned &&= isOwned;
      this.#chunks.push(chunk);
      this.#waiting += chunk.length;
    }
  }

  /** The next whole record, or undefined. Throws on a header that no TLS peer sends. */
  next(): RawRecord | undefined {
    if (!this.#have(RECORD_HEADER)) return undefined;
    const at = this.#offset;
    const bytes = this.#current;
    const type = bytes[at]!;
    if (this.#takesSsl2Hello && this.#first && isSsl2Hello(bytes, at))
      return this.#take(SSL2_HELLO, SSL2_HEADER + (((type & 0x7f) << 8) | bytes[at + 1]!));
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    this.#checkHeader(type, bytes[at + 1]!, length);
    return this.#take(type, RECORD_HEADER + length);
  }

  /** The next `length` bytes, or undefined while they are not all there. */
  #take(type: number, length: number): RawRecord | undefined {
    if (!this.#have(length)) return undefined;
    this.#first = false;
    const start = this.#offset;
    const end = start + length;
    const record = { type, bytes: this.#current.subarray(start, end), isOwned: this.#isOwned };
    // A connection that falls silent must not hold on to the chunk it read last.
    const isTaken = end === this.#current.length;
    this.#current = isTaken ? EMPTY : this.#current;
    this.#offset = isTaken ? 0 : end;
    return record;
  }

  /** Makes the next `length` bytes contiguous; false when they are not there yet. */
  #have(length: number): boolean {
    if (this.#current.length - this.#offset >= length) return true;
    if (this.buffered < length) return false;
    let part = this.#current.subarray(this.#offset);
    if (part.length === 0) part = this.#shift();
    if (part.length < length) part = this.#join(part, length);
    this.#current = part;
    this.#offset = 0;
    return true;
  }

  /** Copies only what straddles: what follows it in its chunk stays where it is. */
  #join(first: Uint8Array, length: number): Uint8Array {
    const joined = new Uint8Array(length);
    joined.set(first);
    let at = first.length;
    while (at < length) {
      const chunk = this.#shift();
      const part = chunk.subarray(0, length - at);
      joined.set(part, at);
      at += part.length;
      if (part.length < chunk.length) {
        this.#chunks.unshift(chunk.subarray(part.length));
        this.#waiting += chunk.length - part.length;
      }
    }
    return joined;
  }

  #shift(): Uint8Array {
    const chunk = this.#chunks.shift()!;
    this.#waiting -= chunk.length;
    return chunk;
  }

  /** RFC 9846 §5.1, §5.2, RFC 5246 §6.2.1, §6.2.3. */
  #checkHeader(type: number, major: number, length: number): void {
    const known =
      type === HANDSHAKE ||
      type === ALERT ||
      type === APPLICATION_DATA ||
      type === CHANGE_CIPHER_SPEC ||
      (type === HEARTBEAT && this.#takesHeartbeats);
    if (!known || major !== 3) {
      if (this.#first)
        throw new TlsError(
          'not-tls',
          'the peer does not speak TLS here: its first bytes are not a TLS record',
        );
    }
    if (length > this.#maxLength) {
      throw new TlsError('record-overflow', `a record of ${length} bytes, more than ${this.#maxLength}`);
    }
    if (!known || major !== 3)
      throw new TlsError('bad-record', `a record of type ${type} and version ${major}.x: no such record`);
  }
}

/** Bytes before a message of SSL 2.0: its length, with the highest bit set. */
export const SSL2_HEADER = 2;

/** CLIENT-HELLO of at most 2^14 bytes, for version 3.x: what only knows SSL 2.0 is not spoken to (RFC 6176). */
function isSsl2Hello(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 0xc0) === SSL2_HELLO && bytes[at + 2] === 1 && bytes[at + 3] === 3;
}
