/** A place in memory that native code reads and writes, and JavaScript through `bytes`. */
export interface Place {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * Memory that stays where it is for as long as the thread lives. Arguments that are short go through it: the address of a
 * small Uint8Array costs more than to copy it, since V8 first has to move it out of its heap.
 */
export class NativeMemory {
  readonly #bytes = new Uint8Array(CAPACITY);
  readonly #addressOf: (bytes: Uint8Array) => number;
  readonly #base: number;
  #used = 0;
  /** The arrays that addresses were asked for last. */
  readonly #held: [Uint8Array, Uint8Array];

  constructor(addressOf: (bytes: Uint8Array) => number) {
    this.#addressOf = addressOf;
    this.#base = addressOf(this.#bytes);
    this.#held = [this.#bytes, this.#bytes];
  }

  /**
   * The address of bytes that are not small, good until native code was called with it: nothing may run in between but to ask
   * for one more. For a `length` of 0 the result is not to be read from.
   */
  addressOf(bytes: Uint8Array): number {
    // Optimized code lets go of an array when it has its address, and numbers for the call may be what starts a collection.
    this.#held[1] = this.#held[0];
    this.#held[0] = bytes;
    return this.#addressOf(bytes);
  }

  /** A place of its own for whoever asks, `length` bytes of zeros. */
  reserve(length: number): Place {
    const start = this.#used;
    if (start + length > CAPACITY) throw new RangeError('the memory for native calls is used up');
    this.#used = (start + length + ALIGNMENT - 1) & -ALIGNMENT;
    return { address: this.#base + start, bytes: this.#bytes.subarray(start, start + length) };
  }

  cell(): Cell {
    return new Cell(this.reserve(CELL));
  }

  /** The address of an ASCII text with a NUL behind it. The same text has one address. */
  text(value: string): number {
    let address = this.#texts.get(value);
    if (address === undefined) {
      const place = this.reserve(value.length + 1);
      for (let i = 0; i < value.length; i++) place.bytes[i] = value.charCodeAt(i);
      address = place.address;
      this.#texts.set(value, address);
    }
    return address;
  }

  readonly #texts = new Map<string, number>();
}

const CAPACITY = 64 * 1024;
const ALIGNMENT = 16;

/**
 * Whether `room` begins within `length` bytes of where `data` begins, and not there: what is written to it would change what
 * is still to be read.
 */
export function liesAcross(room: Uint8Array, data: Uint8Array, length: number): boolean {
  if (room.buffer !== data.buffer) return false;
  const distance = Math.abs(room.byteOffset - data.byteOffset);
  return distance !== 0 && distance < length;
}

/** A pointer or a `size_t` that native code writes, or reads and writes. */
export class Cell {
  readonly address: number;
  readonly #halves: Uint32Array;

  constructor({ address, bytes }: Place) {
    this.address = address;
    this.#halves = new Uint32Array(bytes.buffer, bytes.byteOffset, 2);
  }

  /** At most 2^53 - 1: an address or a length beyond it is none that could be used. */
  get value(): number {
    return this.#halves[0]! + this.#halves[1]! * 2 ** 32;
  }

  set value(value: number) {
    this.#halves[0] = value % 2 ** 32;
    this.#halves[1] = Math.floor(value / 2 ** 32);
  }
}

const CELL = 8;
