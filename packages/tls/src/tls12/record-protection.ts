import type { Aead, CryptoProvider } from '@testudo/crypto';
import { RECORD_HEADER } from '../record/content-type.ts';
import { RecordNonce } from '../record/nonce.ts';
import {
  checkPlaintextLength,
  LEGACY_RECORD_VERSION,
  type Plaintext,
  putHeader,
  type RecordOpener,
  type RecordSealer,
  recordLimit,
} from '../record/protection.ts';
import type { RawRecord } from '../record/record-buffer.ts';
import type { AeadCipher } from '../suites/index.ts';
import type { Protection } from './terms.ts';
import { longestContent, type Terms } from './terms.ts';

/** Bytes of the nonce that AES-GCM sends with each record (RFC 5288 §3); ChaCha20-Poly1305 sends none (RFC 7905 §2). */
const EXPLICIT_NONCE = 8;

/** TLS 1.2 with an AEAD: no MAC keys; the IV is the implicit part of the nonce. */
export function aeadProtection(provider: CryptoProvider, terms: Terms, cipher: AeadCipher): Protection {
  const most = longestContent(terms);
  return {
    macKeyLength: 0,
    keyLength: cipher.keyLength,
    ivLength: cipher.name === 'chacha20-poly1305' ? 12 : 4,
    sealer: ({ key, iv }) => new Sealer12(provider.aead(cipher.name, key)!, iv),
    opener: ({ key, iv }) => new Opener12(provider.aead(cipher.name, key)!, iv, most),
  };
}

/** Of the record that is being sealed or opened, whichever it is. */
const ADDITIONAL = new Uint8Array(13);

/** TLSCiphertext with an AEAD (RFC 5246 §6.2.3.3). */
export class Sealer12 implements RecordSealer {
  sequence = 0;
  readonly limit: number;
  readonly #aead: Aead;
  readonly #nonce: Nonce12;

  constructor(aead: Aead, iv: Uint8Array) {
    this.#aead = aead;
    this.#nonce = nonce12(aead, iv);
    this.limit = recordLimit(aead.name);
  }

  sealedLength(length: number): number {
    return RECORD_HEADER + this.#nonce.explicitLength + length + this.#aead.tagLength;
  }

  seal(type: number, content: Uint8Array, _padding: number, out: Uint8Array, at: number): number {
    const sealedLength = this.sealedLength(content.length) - RECORD_HEADER;
    putHeader(out, at, type, LEGACY_RECORD_VERSION, sealedLength);
    const explicit = at + RECORD_HEADER;
    const start = explicit + this.#nonce.explicitLength;
    putAdditional(ADDITIONAL, this.sequence, type, LEGACY_RECORD_VERSION, content.length);
    const nonce = this.#nonce.forSealing(this.sequence++, out, explicit);
    this.#aead.seal(nonce, ADDITIONAL, content, out, start);
    return RECORD_HEADER + sealedLength;
  }
}

/** The other way round. */
export class Opener12 implements RecordOpener {
  readonly isProtected = true;
  readonly #most: number;
  readonly #aead: Aead;
  readonly #nonce: Nonce12;
  sequence = 0;

  /** @param most bytes of plaintext in a record. */
  constructor(aead: Aead, iv: Uint8Array, most: number) {
    this.#most = most;
    this.#aead = aead;
    this.#nonce = nonce12(aead, iv);
  }

  open(record: RawRecord): Plaintext | undefined {
    const start = RECORD_HEADER + this.#nonce.explicitLength;
    const length = record.bytes.length - start - this.#aead.tagLength;
    if (length < 0) return undefined;
    checkPlaintextLength(length, this.#most);
    // The version as it came: a changed one fails like anything else that was changed.
    const version = (record.bytes[1]! << 8) | record.bytes[2]!;
    putAdditional(ADDITIONAL, this.sequence, record.type, version, length);
    const nonce = this.#nonce.forOpening(this.sequence, record.bytes);
    const sealed = record.bytes.subarray(start);
    const content = this.#aead.open(nonce, ADDITIONAL, sealed, record.isOwned === true ? sealed : undefined);
    if (content === undefined) return undefined;
    this.sequence++;
    return { type: record.type, content };
  }
}

interface Nonce12 {
  readonly explicitLength: number;
  forSealing(sequence: number, out: Uint8Array, explicitAt: number): Uint8Array;
  forOpening(sequence: number, record: Uint8Array): Uint8Array;
}

function nonce12(aead: Aead, iv: Uint8Array): Nonce12 {
  if (aead.name === 'chacha20-poly1305') {
    const nonce = new RecordNonce(iv);
    return {
      explicitLength: 0,
      forSealing: (sequence) => nonce.at(sequence),
      forOpening: (sequence) => nonce.at(sequence),
    };
  }
  const nonce = new Uint8Array(iv.length + EXPLICIT_NONCE);
  nonce.set(iv);
  const explicit = nonce.subarray(iv.length);
  return {
    explicitLength: EXPLICIT_NONCE,
    forSealing(sequence, out, explicitAt) {
      // The sequence number is a counter that never repeats under a key: what RFC 5288 §3 asks for.
      putUint64(explicit, 0, sequence);
      out.set(explicit, explicitAt);
      return nonce;
    },
    forOpening(_sequence, record) {
      explicit.set(record.subarray(RECORD_HEADER, RECORD_HEADER + EXPLICIT_NONCE));
      return nonce;
    },
  };
}

/** seq_num + type + version + length (RFC 5246 §6.2.3.3). */
function putAdditional(
  out: Uint8Array,
  sequence: number,
  type: number,
  version: number,
  length: number,
): void {
  putUint64(out, 0, sequence);
  putHeader(out, 8, type, version, length);
}

function putUint64(out: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let i = 7; i >= 0; i--) {
    out[at + i] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
}
