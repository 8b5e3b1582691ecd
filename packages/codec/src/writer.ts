import { EncodeError } from './errors.ts';

/** Writes big-endian fields to a growing buffer. A value that does not fit its field throws {@link EncodeError}. */
export class Writer {
  #bytes: Uint8Array;
  #length = 0;
  #isOnSlab = true;

  /** @param capacity bytes to start with; the buffer doubles when it is full. Default 256. */
  constructor(capacity = 256) {
    // Taken until the writer is finished: one that starts meanwhile takes a slab of its own.
    this.#bytes = slab.length >= capacity ? slab : new Uint8Array(Math.max(capacity, SLAB_LENGTH));
    slab = TAKEN;
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): void {
    this.#check(value, 0xff);
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  uint16(value: number): void {
    this.#check(value, 0xffff);
    const at = this.#reserve(2);
    this.#put(at, 2, value);
  }

  uint24(value: number): void {
    this.#check(value, 0xffffff);
    const at = this.#reserve(3);
    this.#put(at, 3, value);
  }

  uint32(value: number): void {
    this.#check(value, 0xffffffff);
    const at = this.#reserve(4);
    this.#put(at, 4, value);
  }

  uint64(value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn)
      throw new EncodeError(`${value} does not fit in 64 bits`);
    this.uint32(Number(value >> 32n));
    this.uint32(Number(value & 0xffff_ffffn));
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** Writes a length prefix of `prefix` bytes around whatever `write` writes. */
  scope(prefix: 1 | 2 | 3, write: (writer: Writer) => void): void {
    const at = this.#reserve(prefix);
    write(this);
    const length = this.#length - at - prefix;
    if (length > MAX_LENGTH[prefix])
      throw new EncodeError(`${length} bytes do not fit in a ${8 * prefix}-bit length`);
    this.#put(at, prefix, length);
  }

  /** What was written, as a view on memory that other writers use, too: this one must not be used afterwards. */
  finish(): Uint8Array {
    if (this.#isOnSlab) slab = this.#bytes.subarray(this.#length);
    return this.#bytes.subarray(0, this.#length);
  }

  #check(value: number, max: number): void {
    if (value >= 0 && value <= max && Number.isInteger(value)) return;
    throw new EncodeError(`${value} is not an integer from 0 to ${max}`);
  }

  #put(at: number, width: number, value: number): void {
    for (let i = at + width - 1, rest = value; i >= at; i--, rest = Math.floor(rest / 256))
      this.#bytes[i] = rest;
  }

  #reserve(length: number): number {
    const at = this.#length;
    this.#length = at + length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#isOnSlab = false;
    }
    return at;
  }
}

/** The longest that a length prefix of so many bytes can tell. */
const MAX_LENGTH = { 1: 0xff, 2: 0xffff, 3: 0xff_ffff } as const;

/**
 * What is left of the memory that writers share. To V8 a byte array of more than 64 bytes is a native object, and
 * making one takes as long as encoding a message.
 */
const SLAB_LENGTH = 8192;
const TAKEN = new Uint8Array(0);
let slab: Uint8Array = TAKEN;
