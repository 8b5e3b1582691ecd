import { TlsError } from '../errors.ts';
import { APPLICATION_DATA, MAX_PLAINTEXT, RECORD_HEADER } from './content-type.ts';
import type { RawRecord } from './record-buffer.ts';

/** A record's contents after protection was removed. */
export interface Plaintext {
  readonly type: number;
  readonly content: Uint8Array;
  /** Length with the padding of TLS 1.3, where there can be one. */
  readonly paddedLength?: number;
}

/** Protects records in one direction under one key. */
export interface RecordSealer {
  /** Length of the record that carries `length` bytes, header included; without padding. Block ciphers: at most. */
  sealedLength(length: number): number;
  /**
   * Writes one record with `content` (at most 2^14 bytes) to `out` at `at` and returns its length.
   * `padding` counts zeros to add; only TLS 1.3 can carry them.
   */
  seal(type: number, content: Uint8Array, padding: number, out: Uint8Array, at: number): number;
  /** Records sealed so far. */
  readonly sequence: number;
  /** Records after which the key must no longer be used (RFC 9846 §5.5). */
  readonly limit: number;
  /** True when a record's IV is the end of the one before: CBC up to TLS 1.0, where records are to be split (BEAST). */
  readonly chainsIvs?: boolean;
}

/** Removes protection in one direction under one key. */
export interface RecordOpener {
  /** False before any key: records come as they are. */
  readonly isProtected: boolean;
  /** Records opened so far. */
  readonly sequence: number;
  /** Undefined when the record is not authentic. Throws `TlsError` when its contents break the protocol. */
  open(record: RawRecord): Plaintext | undefined;
}

/** The version in the header of every record but a first ClientHello (RFC 9846 §5.1). */
export const LEGACY_RECORD_VERSION = 0x0303;

/** Writes a record's header. */
export function putHeader(out: Uint8Array, at: number, type: number, version: number, length: number): void {
  out[at] = type;
  out[at + 1] = version >> 8;
  out[at + 2] = version;
  out[at + 3] = length >> 8;
  out[at + 4] = length;
}

/** Before any key: records as they are. */
export class PlaintextSealer implements RecordSealer {
  /** 0x0301 for a first ClientHello, for servers that refuse anything newer there (RFC 9846 §5.1). */
  version: number;
  readonly sequence = 0;
  readonly limit: number = Number.MAX_SAFE_INTEGER;

  constructor(version: number = LEGACY_RECORD_VERSION) {
    this.version = version;
  }

  sealedLength(length: number): number {
    return RECORD_HEADER + length;
  }

  seal(type: number, content: Uint8Array, _padding: number, out: Uint8Array, at: number): number {
    putHeader(out, at, type, this.version, content.length);
    out.set(content, at + RECORD_HEADER);
    return RECORD_HEADER + content.length;
  }
}

/** Before any key: application data cannot come. */
export const plaintextOpener: RecordOpener = {
  isProtected: false,
  sequence: 0,
  open(record) {
    // Only early data for someone else's keys: the record layer knows whether it may be dropped.
    if (record.type === APPLICATION_DATA) return undefined;
    const content = record.bytes.subarray(RECORD_HEADER);
    checkPlaintextLength(content.length);
    return { type: record.type, content };
  },
};

/** Throws `record-overflow` over 2^14 bytes (RFC 9846 §5.1); `most` is more where content is compressed. */
export function checkPlaintextLength(length: number, most: number = MAX_PLAINTEXT): void {
  if (length <= most) return;
  throw new TlsError('record-overflow', `a record with ${length} bytes of plaintext, more than ${most}`);
}

/**
 * Records per key (RFC 9846 §5.5): 2^24.5 full-size records for AES-GCM; CCM's bound is near 2^23 at the same
 * margin; ChaCha20-Poly1305 has none that a connection reaches.
 */
export function recordLimit(aead: string): number {
  if (aead.startsWith('chacha20')) return 2 ** 48;
  return aead.includes('ccm') ? 2 ** 23 : 2 ** 24;
}
