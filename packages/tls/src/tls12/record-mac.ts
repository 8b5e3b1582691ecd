import { type CryptoProvider, HASH_LENGTH, type HashName, type Mac } from '@testudo/crypto';

/** The MAC of a record that no AEAD protects (RFC 5246 §6.2.3.1). */
export interface RecordMac {
  /** Bytes. */
  readonly length: number;
  /** Over sequence number, type, version, length and content. */
  compute(sequence: number, type: number, version: number, content: Uint8Array): Uint8Array;
  /**
   * As {@link compute}, over the first `length` bytes of `content`. How many they are must not show in how long it takes
   * (Lucky 13): the hash function is made to compress as many blocks as it would for `content` as a whole.
   */
  computeSecretLength(
    sequence: number,
    type: number,
    version: number,
    content: Uint8Array,
    length: number,
  ): Uint8Array;
}

/** HMAC(seq_num + type + version + length + fragment): TLS 1.0 to 1.2. */
export class HmacOfRecord implements RecordMac {
  readonly length: number;
  readonly #mac: Mac;
  readonly #blocks: HashBlocks;
  readonly #header = new Uint8Array(HEADER);
  readonly #view = new DataView(this.#header.buffer);

  constructor(provider: CryptoProvider, hash: HashName, key: Uint8Array) {
    this.length = HASH_LENGTH[hash];
    this.#mac = provider.mac(hash, key);
    this.#blocks = new HashBlocks(hash);
  }

  compute(sequence: number, type: number, version: number, content: Uint8Array): Uint8Array {
    const view = this.#view;
    putSequence(view, sequence);
    view.setUint8(8, type);
    view.setUint16(9, version);
    view.setUint16(11, content.length);
    this.#mac.update(this.#header);
    this.#mac.update(content);
    return this.#mac.digest();
  }

  computeSecretLength(
    sequence: number,
    type: number,
    version: number,
    content: Uint8Array,
    length: number,
  ): Uint8Array {
    const code = this.compute(sequence, type, version, content.subarray(0, length));
    this.#mac.update(this.#blocks.missing(HEADER + length, HEADER + content.length));
    this.#mac.reset();
    return code;
  }
}

const HEADER = 13;

/** Writes a sequence number as 64 bits at the start. */
export function putSequence(view: DataView, sequence: number): void {
  view.setUint32(0, Math.floor(sequence / 2 ** 32));
  view.setUint32(4, sequence >>> 0);
}

/** How a hash function cuts a message into blocks. */
export class HashBlocks {
  readonly #shift: number;
  readonly #lengthField: number;
  readonly #filler: Uint8Array;

  constructor(hash: HashName) {
    const isWide = hash === 'sha384' || hash === 'sha512';
    this.#shift = isWide ? 7 : 6;
    this.#lengthField = isWide ? 16 : 8;
    this.#filler = new Uint8Array(MAX_MISSING);
  }

  /** Whole blocks of filler: those that a message of `length` bytes has less than one of `most` bytes, at most 384 more. */
  missing(length: number, most: number): Uint8Array {
    return this.#filler.subarray(0, (this.#count(most) - this.#count(length)) << this.#shift);
  }

  /** After the message come a byte and its length in bits (FIPS 180-4 §5.1). */
  #count(length: number): number {
    return ((length + this.#lengthField) >> this.#shift) + 1;
  }
}

const MAX_MISSING = 512;
