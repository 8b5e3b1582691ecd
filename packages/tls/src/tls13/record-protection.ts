import type { Aead } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import {
  ALERT,
  APPLICATION_DATA,
  CHANGE_CIPHER_SPEC,
  HANDSHAKE,
  HEARTBEAT,
  RECORD_HEADER,
} from '../record/content-type.ts';
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

/** Of the record that is being sealed, whichever it is. */
const HEADER = new Uint8Array(RECORD_HEADER);
const TYPE = new Uint8Array(1);

/** TLSCiphertext (RFC 9846 §5.2): the type inside, zeros behind it, the header as additional data. */
export class Sealer13 implements RecordSealer {
  /** Of the next record; begins at 0 with each key (RFC 9846 §5.3). `limit` keeps it from wrapping. */
  sequence = 0;
  readonly limit: number;
  readonly #aead: Aead;
  readonly #nonce: RecordNonce;

  constructor(aead: Aead, iv: Uint8Array) {
    this.#aead = aead;
    this.#nonce = new RecordNonce(iv);
    this.limit = recordLimit(aead.name);
  }

  sealedLength(length: number): number {
    return RECORD_HEADER + length + 1 + this.#aead.tagLength;
  }

  seal(type: number, content: Uint8Array, padding: number, out: Uint8Array, at: number): number {
    const innerLength = content.length + 1 + padding;
    const sealedLength = innerLength + this.#aead.tagLength;
    putHeader(HEADER, 0, APPLICATION_DATA, LEGACY_RECORD_VERSION, sealedLength);
    out.set(HEADER, at);
    const start = at + RECORD_HEADER;
    if (padding === 0) {
      TYPE[0] = type;
      this.#aead.seal(this.#nonce.at(this.sequence++), HEADER, content, out, start, TYPE);
      return RECORD_HEADER + sealedLength;
    }
    out.set(content, start);
    out[start + content.length] = type;
    out.fill(0, start + content.length + 1, start + innerLength);
    const inner = out.subarray(start, start + innerLength);
    this.#aead.seal(this.#nonce.at(this.sequence++), HEADER, inner, out, start);
    return RECORD_HEADER + sealedLength;
  }
}

/** The other way round. Alone a ChangeCipherSpec needs no protection (RFC 9846 §5). */
export class Opener13 implements RecordOpener {
  readonly isProtected = true;
  readonly #aead: Aead;
  readonly #nonce: RecordNonce;
  /** Until the peer is known to have our keys, its alert may still come in the clear. */
  readonly #plaintextAlerts: boolean;
  /** Of the next record; begins at 0 with each key, and counts what could be opened (RFC 9846 §5.3). */
  sequence = 0;

  constructor(aead: Aead, iv: Uint8Array, options: { plaintextAlerts: boolean }) {
    this.#aead = aead;
    this.#nonce = new RecordNonce(iv);
    this.#plaintextAlerts = options.plaintextAlerts;
  }

  open(record: RawRecord): Plaintext | undefined {
    const { type, bytes } = record;
    if (type === CHANGE_CIPHER_SPEC) return { type, content: bytes.subarray(RECORD_HEADER) };
    if (
      type === ALERT &&
      this.#plaintextAlerts &&
      this.sequence === 0 &&
      bytes.length === RECORD_HEADER + 2
    ) {
      return { type, content: bytes.subarray(RECORD_HEADER) };
    }
    if (type !== APPLICATION_DATA) {
      throw new TlsError('unexpected-message', 'an unprotected record where only protected ones are allowed');
    }
    const sealed = bytes.subarray(RECORD_HEADER);
    const inner = this.#aead.open(
      this.#nonce.at(this.sequence),
      bytes.subarray(0, RECORD_HEADER),
      sealed,
      record.isOwned === true ? sealed : undefined,
    );
    if (inner === undefined) return undefined;
    this.sequence++;
    return unpad(inner);
  }
}

/** The type is the last byte that is not zero (RFC 9846 §5.4). */
function unpad(inner: Uint8Array): Plaintext {
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  if (end < 0) throw new TlsError('unexpected-message', 'a record of nothing but zeros: it has no type');
  // The limit is for content and padding together, the type not counted (RFC 9846 §5.4).
  checkPlaintextLength(inner.length - 1);
  const type = inner[end]!;
  const content = inner.subarray(0, end);
  // Whether heartbeats may come, the connection knows.
  if (type !== APPLICATION_DATA && type !== HANDSHAKE && type !== ALERT && type !== HEARTBEAT) {
    throw new TlsError('unexpected-message', `a protected record of type ${type}`);
  }
  return { type, content, paddedLength: inner.length - 1 };
}
