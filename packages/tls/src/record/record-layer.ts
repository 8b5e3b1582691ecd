import { KEY_UPDATE_MARGIN, MAX_EMPTY_RECORDS, RENEGOTIATION_MARGIN } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import type { Observer } from '../observer.ts';
import { TLS10, versionName } from '../versions.ts';
import {
  ALERT,
  APPLICATION_DATA,
  CHANGE_CIPHER_SPEC,
  HANDSHAKE,
  MAX_PLAINTEXT,
  SSL2_HELLO,
} from './content-type.ts';
import {
  LEGACY_RECORD_VERSION,
  type Plaintext,
  PlaintextSealer,
  plaintextOpener,
  type RecordOpener,
  type RecordSealer,
} from './protection.ts';
import { type RawRecord, RecordBuffer, SSL2_HEADER } from './record-buffer.ts';
import { checkLimit, type LimitStart, type RecordLimit, type RecordLimits } from './record-limit.ts';
import type { Ssl2HelloReader } from './ssl2-hello-reader.ts';

/**
 * Both directions of the record protocol (RFC 9846 §5): cuts what comes into records and removes their
 * protection; cuts what goes into records, protects them and collects their bytes.
 */
export class RecordLayer implements RecordLimits {
  readonly #incoming = new RecordBuffer();
  #outgoing: Uint8Array[] = [];
  #outgoingLength = 0;
  #handshake: Uint8Array[] = [];
  #opener: RecordOpener = plaintextOpener;
  #sealer: RecordSealer;
  #emptyRecords = 0;
  /** Bytes of refused early data that may still be dropped; undefined where none may come. */
  #undecryptableBudget: number | undefined;
  readonly #observer: Observer | undefined;
  /** Of records without protection, once the peer has answered. */
  #version = LEGACY_RECORD_VERSION;
  #agreedVersion: number | undefined;
  readonly #splitsRecords: boolean;
  readonly #paddingFor: ((length: number) => number) | undefined;
  /** Most plaintext bytes in a record that we send. */
  readonly #fragmentLength: number;
  /** The same, as an extension has it; undefined where none was agreed on. */
  #sentLimit: RecordLimit | undefined;
  #receivedLimit: RecordLimit | undefined;
  /** What comes into force with the next keys; undefined where nothing changes. */
  #nextSentLimit: { readonly limit: RecordLimit | undefined } | undefined;
  #nextReceivedLimit: { readonly limit: RecordLimit | undefined } | undefined;
  /** Records after which the owner wants a new key. */
  readonly #keyUpdateAfter: number;
  readonly #allocate: (length: number) => Uint8Array;
  readonly #readSsl2Hello: Ssl2HelloReader | undefined;
  #ssl2Hello: Uint8Array | undefined;

  constructor(options: {
    observer: Observer | undefined;
    paddingFor: ((length: number) => number) | undefined;
    /** Send one byte in a record of its own first, where IVs are chained. */
    splitsRecords: boolean;
    fragmentLength: number;
    keyUpdateAfter: number;
    allocate: (length: number) => Uint8Array;
    initialVersion: number;
    ssl2Hello?: Ssl2HelloReader | undefined;
  }) {
    this.#observer = options.observer;
    this.#paddingFor = options.paddingFor;
    this.#splitsRecords = options.splitsRecords;
    this.#fragmentLength = options.fragmentLength;
    this.#keyUpdateAfter = options.keyUpdateAfter;
    this.#allocate = options.allocate;
    this.#sealer = new PlaintextSealer(options.initialVersion);
    this.#readSsl2Hello = options.ssl2Hello;
    if (this.#readSsl2Hello !== undefined) this.#incoming.takeSsl2Hello();
  }

  // Incoming ----------------------------------------------------------------------------------------------------

  /** @param isOwned whether the chunk is given away: nobody else reads or writes it any more. */
  push(chunk: Uint8Array, isOwned: boolean = false): void {
    this.#incoming.push(chunk, isOwned);
  }

  get buffered(): number {
    return this.#incoming.buffered;
  }

  get readsProtected(): boolean {
    return this.#opener.isProtected;
  }

  /** The next record without its protection, or undefined until more bytes come. */
  next(): Plaintext | undefined {
    for (;;) {
      const record = this.#incoming.next();
      if (record === undefined) return undefined;
      if (record.type === SSL2_HELLO) return this.#openSsl2Hello(record);
      this.#checkVersion(record.bytes);
      const plaintext = this.#opener.open(record);
      if (plaintext === undefined) {
        this.#skipUndecryptable(record.bytes.length);
        continue;
      }
      // A ChangeCipherSpec comes before early data, too (RFC 9846 §E.4).
      if (plaintext.type !== CHANGE_CIPHER_SPEC) this.#undecryptableBudget = undefined;
      // The peer is there: no more need for the oldest record version.
      if (this.#sealer instanceof PlaintextSealer) this.#sealer.version = this.#version;
      this.#observer?.record?.('received', plaintext.type, plaintext.content.length, record.bytes.length);
      this.#countEmpty(plaintext);
      if (this.#receivedLimit !== undefined)
        checkLimit(plaintext, this.#receivedLimit, this.#opener.isProtected);
      return plaintext;
    }
  }

  /**
   * Up to TLS 1.2 the version that was agreed on stands in every record (RFC 5246 §E.1); in TLS 1.3 it says nothing. Without
   * protection 0x0301 is borne, too: the peer may not have seen the answer yet, as a client that gives up meanwhile.
   */
  #checkVersion(bytes: Uint8Array): void {
    const version = (bytes[1]! << 8) | bytes[2]!;
    if (this.#agreedVersion === undefined || version === this.#agreedVersion) return;
    if (version === TLS10 && !this.#opener.isProtected) return;
    throw new TlsError(
      'bad-record',
      `a record of ${versionName(version)} where another version was agreed on`,
    );
  }

  /** The hello that came in SSL 2.0's form, without its length; undefined when none did. */
  get ssl2Hello(): Uint8Array | undefined {
    return this.#ssl2Hello;
  }

  #openSsl2Hello({ bytes }: RawRecord): Plaintext {
    const message = bytes.subarray(SSL2_HEADER);
    this.#observer?.record?.('received', SSL2_HELLO, message.length, bytes.length);
    this.#ssl2Hello = message;
    return { type: HANDSHAKE, content: this.#readSsl2Hello!(message) };
  }

  /** @param ofEarlyData keys that no limit goes with: what was agreed on waits for those after them. */
  setOpener(opener: RecordOpener, ofEarlyData = false): void {
    this.#opener = opener;
    this.#emptyRecords = 0;
    if (this.#nextReceivedLimit === undefined || ofEarlyData) return;
    this.#receivedLimit = this.#nextReceivedLimit.limit;
    this.#nextReceivedLimit = undefined;
  }

  limitReceived(limit: RecordLimit | undefined, from: LimitStart): void {
    if (from === 'now') this.#receivedLimit = limit;
    else this.#nextReceivedLimit = { limit };
  }

  useTls13Limit(): void {
    this.#incoming.useTls13Limit();
  }

  /** Heartbeats were agreed on. */
  takeHeartbeats(): void {
    this.#incoming.takeHeartbeats();
  }

  /** A server that refused early data drops up to this many bytes that it cannot decrypt (RFC 9846 §4.3.10). */
  skipUndecryptable(bytes: number): void {
    this.#undecryptableBudget = bytes;
  }

  /** A record that does not decrypt is `bad_record_mac` (RFC 9846 §5.2), but for early data that was refused. */
  #skipUndecryptable(length: number): void {
    if (this.#undecryptableBudget === undefined) {
      if (!this.#opener.isProtected) {
        throw new TlsError('unexpected-message', 'application data before any key was agreed on');
      }
      throw new TlsError(
        'bad-record-mac',
        'a record that does not decrypt: it was changed, or the keys differ',
      );
    }
    if (length > this.#undecryptableBudget) {
      throw new TlsError(
        'too-much-early-data',
        'the client keeps sending early data, which was refused, or its records do not decrypt',
      );
    }
    this.#undecryptableBudget -= length;
  }

  #countEmpty(plaintext: Plaintext): void {
    const { type, content } = plaintext;
    if (content.length > 0 && type !== CHANGE_CIPHER_SPEC) {
      // Alerts and heartbeats have limits of their own, and are no reason to take more of what has this one.
      if (type === APPLICATION_DATA || type === HANDSHAKE) this.#emptyRecords = 0;
      return;
    }
    if (++this.#emptyRecords > MAX_EMPTY_RECORDS) {
      throw new TlsError(
        'too-many-empty-records',
        `more than ${MAX_EMPTY_RECORDS} records in a row that carry nothing`,
      );
    }
  }

  // Outgoing ----------------------------------------------------------------------------------------------------

  /** Records under the present keys, each way. */
  get sequences(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sealer.sequence, received: this.#opener.sequence };
  }

  /** Records of application data that may still be sealed before the key is to be replaced. */
  get sealsBeforeUpdate(): number {
    const { limit, sequence } = this.#sealer;
    return Math.min(this.#keyUpdateAfter, limit - KEY_UPDATE_MARGIN) - sequence;
  }

  /** Whether the key seals more than the last records, which are kept for alerts and key changes. */
  get hasRoom(): boolean {
    return this.#sealer.limit - this.#sealer.sequence > KEY_UPDATE_MARGIN;
  }

  /** Whether the key comes near its limit. */
  get keyWearsOut(): boolean {
    return this.#sealer.limit - this.#sealer.sequence < RENEGOTIATION_MARGIN;
  }

  /** Most plaintext bytes in a record that we send. */
  get fragmentLength(): number {
    const most = Math.min(this.#fragmentLength, MAX_PLAINTEXT);
    const limit = this.#sentLimit;
    if (limit === undefined || (!limit.unprotected && this.#sealer instanceof PlaintextSealer)) return most;
    return Math.min(most, limit.length);
  }

  limitSent(limit: RecordLimit | undefined, from: LimitStart): void {
    if (from === 'now') this.#sentLimit = limit;
    else this.#nextSentLimit = { limit };
  }

  /**
   * The version that was agreed on stands in records without protection, too. TLS 1.3 goes on with 1.2's.
   * @param ways `sent`: what comes may say another one.
   */
  useVersion(version: number, ways: 'both' | 'sent' = 'both'): void {
    if (ways === 'both') this.#agreedVersion = version;
    this.flushHandshake();
    this.#version = version;
    if (this.#sealer instanceof PlaintextSealer) this.#sealer.version = version;
  }

  setSealer(sealer: RecordSealer): void {
    this.flushHandshake();
    this.#sealer = sealer;
    if (this.#nextSentLimit === undefined) return;
    this.#sentLimit = this.#nextSentLimit.limit;
    this.#nextSentLimit = undefined;
  }

  /** Collects a handshake message; messages in a row share records. */
  writeHandshake(message: Uint8Array): void {
    this.#handshake.push(message);
  }

  /** Puts collected handshake messages into records. */
  flushHandshake(): void {
    if (this.#handshake.length === 0) return;
    const flight = this.#joined(this.#handshake);
    this.#handshake = [];
    this.#seal(HANDSHAKE, flight);
  }

  /** Puts `content` into as many records as it needs; into one even when it is empty. */
  write(type: number, content: Uint8Array): void {
    this.flushHandshake();
    if (this.#sealer.chainsIvs && this.#splitsRecords && type === APPLICATION_DATA && content.length > 1) {
      // Who knows the IV of a record before its content is chosen can test guesses of what another record held (BEAST).
      // The MAC of one byte makes the next IV unknown. All that is sealed at once was chosen before.
      this.#seal(type, content.subarray(0, 1));
      this.#seal(type, content.subarray(1));
      return;
    }
    this.#seal(type, content);
  }

  #seal(type: number, content: Uint8Array): void {
    const sealer = this.#sealer;
    const step = this.fragmentLength;
    const count = Math.max(1, Math.ceil(content.length / step));
    // Alerts are few and short, and must be said at the end.
    if (type !== ALERT && count > sealer.limit - sealer.sequence) {
      throw new TlsError('key-limit-reached', 'the key has protected as many records as it safely can');
    }
    const perRecord = sealer.sealedLength(0);
    const pad = this.#paddingFor;
    const paddings = pad === undefined ? undefined : this.#paddings(pad, content.length, step, count);
    const out = this.#allocate(content.length + count * perRecord + (paddings?.total ?? 0));
    let at = 0;
    for (let i = 0; i < count; i++) {
      const fragment = count === 1 ? content : content.subarray(i * step, (i + 1) * step);
      const padding = paddings?.each[i] ?? 0;
      const length = sealer.seal(type, fragment, padding, out, at);
      this.#observer?.record?.('sent', type, fragment.length, length);
      at += length;
    }
    this.#queue(at === out.length ? out : out.subarray(0, at));
  }

  #queue(bytes: Uint8Array): void {
    this.#outgoing.push(bytes);
    this.#outgoingLength += bytes.length;
  }

  #paddings(
    pad: (length: number) => number,
    total: number,
    step: number,
    count: number,
  ): { each: number[]; total: number } {
    if (this.#sealer instanceof PlaintextSealer) return { each: [], total: 0 };
    const most = Math.min(this.#sentLimit?.length ?? MAX_PLAINTEXT, MAX_PLAINTEXT);
    const each: number[] = [];
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const length = Math.min(step, total - i * step);
      const padding = Math.max(0, Math.min(Math.floor(pad(length)), most - length));
      each.push(padding);
      sum += padding;
    }
    return { each, total: sum };
  }

  /** Bytes that wait for the transport. */
  get outgoingLength(): number {
    return this.#outgoingLength;
  }

  /** Everything that waits for the transport; undefined when nothing does. */
  takeOutgoing(): Uint8Array | undefined {
    if (this.#outgoing.length === 0) return undefined;
    const bytes = this.#joined(this.#outgoing);
    this.#outgoing = [];
    this.#outgoingLength = 0;
    return bytes;
  }

  #joined(parts: readonly Uint8Array[]): Uint8Array {
    if (parts.length === 1) return parts[0]!;
    let length = 0;
    for (const part of parts) length += part.length;
    const whole = this.#allocate(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}
