import { DecodeError } from './errors.ts';

/**
 * Told about each field while a codec reads: what the explorer and `--trace` show.
 * Calls nest: `enter` before the field is read, `leave` after, with its value.
 */
export interface Tracer {
  enter(field: string, offset: number): void;
  leave(field: string, offset: number, length: number, value: unknown): void;
}

/**
 * Reads big-endian fields from a byte array. It can never pass its bounds: a field that does not fit
 * throws {@link DecodeError}. Byte strings are views on the input, not copies.
 */
export class Reader {
  readonly bytes: Uint8Array;
  readonly tracer: Tracer | undefined;
  #offset: number;
  #end: number;

  constructor(bytes: Uint8Array, tracer?: Tracer) {
    this.bytes = bytes;
    this.tracer = tracer;
    this.#offset = 0;
    this.#end = bytes.length;
  }

  /** Position from the start of the input, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes left in the current length scope. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  uint8(): number {
    return this.bytes[this.#advance(1)]!;
  }

  uint16(): number {
    const at = this.#advance(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  uint24(): number {
    const at = this.#advance(3);
    return (this.bytes[at]! << 16) | (this.bytes[at + 1]! << 8) | this.bytes[at + 2]!;
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  uint64(): bigint {
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.bytes.subarray(at, at + length);
  }

  /** All that is left in the current scope, as a view. */
  takeRest(): Uint8Array {
    return this.take(this.remaining);
  }

  /** The next byte without consuming it, or undefined at the end of the scope. */
  peek(): number | undefined {
    return this.#offset < this.#end ? this.bytes[this.#offset] : undefined;
  }

  /**
   * Reads `length` bytes with `read`, which sees them as the whole input and must consume all of them.
   * Throws `trailing-bytes` when it leaves some.
   */
  scope<T>(length: number, read: (reader: Reader) => T): T {
    if (length > this.remaining) throw this.truncated(length);
    const outerEnd = this.#end;
    this.#end = this.#offset + length;
    const value = read(this);
    this.expectEnd();
    this.#end = outerEnd;
    return value;
  }

  /** Throws `trailing-bytes` unless the scope is used up. */
  expectEnd(): void {
    if (this.#offset === this.#end) return;
    throw new DecodeError('trailing-bytes', `${this.remaining} bytes too many`, this.#offset);
  }

  /** An error about the field that starts at the current position. */
  error(code: DecodeError['code'], detail: string, offset: number = this.#offset): DecodeError {
    return new DecodeError(code, detail, offset);
  }

  private truncated(wanted: number): DecodeError {
    return new DecodeError('truncated', `needs ${wanted} bytes, ${this.remaining} are left`, this.#offset);
  }

  #advance(length: number): number {
    const at = this.#offset;
    if (length > this.#end - at) throw this.truncated(length);
    this.#offset = at + length;
    return at;
  }
}
