import type { NativeMemory, Place } from './memory.ts';

/** OSSL_PARAM of openssl/core.h: what the types of its data are. */
const TYPES = { unsigned: 2, text: 4, octets: 5 } as const;
const SIZE = 40;
/** `return_size` of what no call has written yet (OSSL_PARAM_UNMODIFIED). */
const UNMODIFIED = 0xffff_ffff;

/** Which parts of a key `EVP_PKEY_fromdata` makes: EVP_PKEY_… of openssl/evp.h. */
export const KEY_PARAMETERS = 0x84;
export const PUBLIC_KEY = 0x86;
export const KEYPAIR = 0x87;

/**
 * A list of OSSL_PARAM: named values that a call reads, or with places for them that it fills. Unsigned numbers are in the
 * machine's order, which is little-endian here.
 */
export class Parameters {
  readonly address: number;
  readonly #memory: NativeMemory;
  readonly #view: DataView;
  #count = 0;

  /** For at most `capacity` values. */
  constructor(memory: NativeMemory, capacity: number) {
    // A list ends with an entry whose key is NULL.
    const { address, bytes } = memory.reserve((capacity + 1) * SIZE);
    this.address = address;
    this.#memory = memory;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** An empty list once more, in the same place. */
  clear(): this {
    this.#count = 0;
    return this;
  }

  /** `length` bytes in a place. Values are to be added in the same number each time. */
  add(name: string, type: 'unsigned' | 'octets', place: Place, length: number): this {
    if (!(length <= place.bytes.length)) throw new RangeError('a value longer than its place');
    return this.#add(name, type, place.address, length);
  }

  addText(name: string, value: string): this {
    return this.#add(name, 'text', this.#memory.text(value), value.length);
  }

  #add(name: string, type: keyof typeof TYPES, address: number, length: number): this {
    const at = this.#count++ * SIZE;
    this.#put(at, this.#memory.text(name));
    this.#view.setUint32(at + 8, TYPES[type], true);
    this.#put(at + 16, address);
    this.#put(at + 24, length);
    this.#view.setUint32(at + 32, UNMODIFIED, true);
    this.#view.setUint32(at + 36, UNMODIFIED, true);
    return this;
  }

  #put(at: number, value: number): void {
    this.#view.setUint32(at, value % 2 ** 32, true);
    this.#view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }
}
