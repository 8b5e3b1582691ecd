import { type CryptoProvider, HASH_LENGTH, type HashName, type Mac } from '@testudo/crypto';

/** The MAC of a record that no AEAD protects (RFC 5246 §6.2.3.1). */
export interface RecordMac {
  /** Bytes. */
  readonly length: number;
  /** Over sequence number, type, version, length and content. */
  compute(sequence: number, type: number, version: number, content: Uint8Array): Uint8Array;
}

/** HMAC(seq_num + type + version + length + fragment): TLS 1.0 to 1.2. */
export class HmacOfRecord implements RecordMac {
  readonly length: number;
  readonly #mac: Mac;
  readonly #header = new Uint8Array(13);
  readonly #view = new DataView(this.#header.buffer);

  constructor(provider: CryptoProvider, hash: HashName, key: Uint8Array) {
    this.length = HASH_LENGTH[hash];
    this.#mac = provider.mac(hash, key);
  }

  compute(sequence: number, type: number, version: number, content: Uint8Array): Uint8Array {
    const view = this.#view;
    view.setBigUint64(0, BigInt(sequence));
    view.setUint8(8, type);
    view.setUint16(9, version);
    view.setUint16(11, content.length);
    this.#mac.update(this.#header);
    this.#mac.update(content);
    return this.#mac.digest();
  }
}
