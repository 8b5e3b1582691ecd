import { TlsError } from '../errors.ts';
import { MAX_PLAINTEXT } from './content-type.ts';
import type { Plaintext, RecordOpener, RecordSealer } from './protection.ts';
import type { RawRecord } from './record-buffer.ts';

/** A CompressionMethod (RFC 3749), as `@testudo/tls/legacy/compression` brings it. */
export interface RecordCompression {
  /** The number on the wire. */
  readonly method: number;
  /** What is compressed grows by {@link MAX_EXPANSION} bytes at most. The state goes on from record to record. */
  compressor(): (content: Uint8Array) => Uint8Array;
  /** Undefined for what is not compressed data, or is more than `most` bytes. */
  decompressor(): (content: Uint8Array, most: number) => Uint8Array | undefined;
}

/** Bytes by which compression may make a record longer (RFC 5246 §6.2.2). */
export const MAX_EXPANSION = 1024;

/** Compresses what another sealer then protects (RFC 5246 §6.2.2). */
export class CompressingSealer implements RecordSealer {
  readonly #sealer: RecordSealer;
  readonly #compress: (content: Uint8Array) => Uint8Array;

  constructor(sealer: RecordSealer, compression: RecordCompression) {
    this.#sealer = sealer;
    this.#compress = compression.compressor();
  }

  get sequence(): number {
    return this.#sealer.sequence;
  }

  get limit(): number {
    return this.#sealer.limit;
  }

  get chainsIvs(): boolean {
    return this.#sealer.chainsIvs ?? false;
  }

  sealedLength(length: number): number {
    return this.#sealer.sealedLength(length + MAX_EXPANSION);
  }

  seal(type: number, content: Uint8Array, padding: number, out: Uint8Array, at: number): number {
    return this.#sealer.seal(type, this.#compress(content), padding, out, at);
  }
}

/** The other way round. Throws `decompression-failure`. */
export class DecompressingOpener implements RecordOpener {
  readonly isProtected = true;
  readonly #opener: RecordOpener;
  readonly #decompress: (content: Uint8Array, most: number) => Uint8Array | undefined;

  constructor(opener: RecordOpener, compression: RecordCompression) {
    this.#opener = opener;
    this.#decompress = compression.decompressor();
  }

  get sequence(): number {
    return this.#opener.sequence;
  }

  open(record: RawRecord): Plaintext | undefined {
    const plaintext = this.#opener.open(record);
    if (plaintext === undefined) return undefined;
    const content = this.#decompress(plaintext.content, MAX_PLAINTEXT);
    if (content !== undefined) return { type: plaintext.type, content };
    throw new TlsError(
      'decompression-failure',
      `a record that does not decompress, or to more than ${MAX_PLAINTEXT} bytes`,
    );
  }
}
