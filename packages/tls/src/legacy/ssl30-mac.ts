import { concat } from '@testudo/codec';
import { type CryptoProvider, HASH_LENGTH, type HashName } from '@testudo/crypto';
import { HashBlocks, putSequence, type RecordMac } from '../tls12/record-mac.ts';

/** The two paddings of SSL 3.0's MACs (RFC 6101 §5.2.3.1); they make key and padding one block, or nearly so for SHA-1. */
export function pads(hash: HashName): { readonly inner: Uint8Array; readonly outer: Uint8Array } {
  const length = hash === 'md5' ? 48 : 40;
  return { inner: new Uint8Array(length).fill(0x36), outer: new Uint8Array(length).fill(0x5c) };
}

/** hash(secret + pad_2 + hash(secret + pad_1 + seq_num + type + length + content)): what HMAC was made from later. */
export class Ssl30Mac implements RecordMac {
  readonly length: number;
  readonly #provider: CryptoProvider;
  readonly #hash: HashName;
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;
  readonly #blocks: HashBlocks;
  readonly #header = new Uint8Array(HEADER);
  readonly #view = new DataView(this.#header.buffer);

  constructor(provider: CryptoProvider, hash: HashName, key: Uint8Array) {
    const { inner, outer } = pads(hash);
    this.length = HASH_LENGTH[hash];
    this.#provider = provider;
    this.#hash = hash;
    this.#inner = concat(key, inner);
    this.#outer = concat(key, outer);
    this.#blocks = new HashBlocks(hash);
  }

  /** The version is not covered. */
  compute(sequence: number, type: number, _version: number, content: Uint8Array): Uint8Array {
    const view = this.#view;
    putSequence(view, sequence);
    view.setUint8(8, type);
    view.setUint16(9, content.length);
    const hash = this.#provider.hash(this.#hash);
    hash.update(this.#inner);
    hash.update(this.#header);
    hash.update(content);
    return this.#provider.digest(this.#hash, concat(this.#outer, hash.digest()));
  }

  computeSecretLength(
    sequence: number,
    type: number,
    version: number,
    content: Uint8Array,
    length: number,
  ): Uint8Array {
    const code = this.compute(sequence, type, version, content.subarray(0, length));
    const before = this.#inner.length + HEADER;
    this.#provider.hash(this.#hash).update(this.#blocks.missing(before + length, before + content.length));
    return code;
  }
}

const HEADER = 11;
