import type { CryptoProvider } from '@testudo/crypto';
import type { AlertName } from '../alerts.ts';
import type { CertificateTypes } from '../certificates/certificate-types.ts';
import { TlsError } from '../errors.ts';
import type { NegotiatedFeatures } from '../features/negotiated.ts';
import { type Flow, perform } from '../flow.ts';
import type { HeartbeatTerms } from '../heartbeat/heartbeat.ts';
import {
  decodeMessage,
  encodeMessage,
  HANDSHAKE_HEADER,
  HANDSHAKE_TYPE,
  handshakeTypeName,
  type Message,
  type RawMessage,
} from '../messages/handshake-type.ts';
import type { Observer } from '../observer.ts';
import type { CommonConfig } from '../options.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import type { RecordLimits } from '../record/record-limit.ts';
import type { Version } from '../versions.ts';
import type { FinishedVerified } from './finished-verified.ts';
import type { PreviousHandshake } from './previous-handshake.ts';
import type { Established, FalseStartInfo } from './result.ts';
import type { Transcript } from './transcript.ts';

/** What a handshake can do to its connection, besides waiting: all of it plain calls. */
export interface Channel {
  /** Queues a whole handshake message; messages in a row share records. */
  writeHandshake(raw: Uint8Array): void;
  writeChangeCipherSpec(): void;
  /** Server: the hello that came in SSL 2.0's form, as the transcript wants it; undefined when none did. */
  readonly ssl2Hello: Uint8Array | undefined;
  /**
   * Server: the name that the client's hello asks for, set by who reads a hello, at once; undefined where it names none. A second
   * hello cannot change it.
   */
  requestedName: string | undefined;
  /** Removes protection with this from the next record on. Throws when a part of a message waits. */
  setOpener(opener: RecordOpener, epoch: string): void;
  /** As {@link setOpener}, for application data: only for who verified the peer's Finished. */
  setApplicationOpener(opener: RecordOpener, proof: FinishedVerified, epoch: string): void;
  /** Server: up to `limit` bytes of early data come before the handshake is complete. Ends with the next opener. */
  setEarlyOpener(opener: RecordOpener, limit: number, exporter: Exporter): void;
  /** Client: the application may send up to `limit` bytes now. Ends with {@link closeEarlyData}. */
  openEarlyData(sealer: RecordSealer, limit: number, exporter: Exporter): void;
  closeEarlyData(): void;
  /** Client up to TLS 1.2, after its own Finished: the application may send now (RFC 7918). Nothing is received before. */
  startFalsely(info: FalseStartInfo, exporter: Established['exportKeyingMaterial']): void;
  setSealer(sealer: RecordSealer, epoch: string): void;
  /** A client that offers TLS 1.3 drops compatibility CCS from its ClientHello on (RFC 9846 §5). */
  beginCompatibility(): void;
  /** A version before TLS 1.3 was agreed on: from now on it stands in records. */
  useVersion(version: Version, ways?: 'both' | 'sent'): void;
  /** Sends a warning. */
  warn(name: AlertName): void;
  /** TLS 1.3 was agreed on: its record limits hold, and the peer's compatibility CCS are dropped. */
  useTls13(): void;
  /** The peer's last flight is complete: from here a ChangeCipherSpec is an error. */
  endCompatibility(): void;
  /** What record_size_limit and max_fragment_length change. */
  readonly recordLimits: RecordLimits;
  /** Heartbeats were agreed on, or none. What was in flight is forgotten. */
  useHeartbeat(terms: HeartbeatTerms | undefined): void;
  /** The peer offered early data that was refused: so many bytes that do not decrypt are dropped. */
  skipUndecryptable(bytes: number): void;
}

/** Keying material for another protocol; `length` in bytes (RFC 9846 §7.5). */
export type Exporter = (label: string, context: Uint8Array, length: number) => Uint8Array;

/** One handshake under way: what its steps share. */
export interface Handshake {
  readonly provider: CryptoProvider;
  readonly config: CommonConfig;
  readonly channel: Channel;
  readonly transcript: Transcript;
  readonly observer: Observer | undefined;
  readonly now: number;
  /** A message that was looked at and not yet taken. */
  lookahead: RawMessage | undefined;
  /** HelloRequests that a client still passes over: up to TLS 1.2 only (RFC 5246 §7.4.1.1). */
  helloRequestsLeft: number;
  /** In a renegotiation: the handshake before this one. */
  readonly renegotiates?: PreviousHandshake;
  /** What stands in Certificate messages; undefined where that is X.509, both ways. */
  certificateTypes?: CertificateTypes;
  /** What optional extensions agreed on; undefined while there are none. */
  negotiated?: NegotiatedFeatures;
}

/** Sends a message and adds it to the transcript. */
export function send<T>(h: Handshake, definition: Message<T>, value: T): void {
  sendEncoded(h, encodeMessage(definition, value));
}

/** As {@link send}, for a message that is bytes already. */
export function sendEncoded(h: Handshake, raw: Uint8Array): void {
  h.transcript.add(raw);
  h.channel.writeHandshake(raw);
}

/** Waits for this message and adds it to the transcript. Throws `unexpected-message` when another one comes. */
export function* receive<T>(h: Handshake, definition: Message<T>): Flow<T> {
  return (yield* receiveRaw(h, definition)).value;
}

/** As {@link receive}, with the message's bytes, header included. */
export function* receiveRaw<T>(h: Handshake, definition: Message<T>): Flow<{ value: T; raw: Uint8Array }> {
  const received = yield* receiveOnly(h, definition);
  h.transcript.add(received.raw);
  return received;
}

/** As {@link receiveRaw}, without a transcript: which one it belongs to, the message tells. */
export function* receiveOnly<T>(h: Handshake, definition: Message<T>): Flow<{ value: T; raw: Uint8Array }> {
  const received = yield* nextMessage(h);
  h.lookahead = undefined;
  if (received.type !== definition.type) throw unexpected(received.type, definition.name);
  return { value: decodeMessage(definition, received), raw: received.raw };
}

/** Waits for the next message and tells whether it is this one, without taking it. */
export function* nextIs<T>(h: Handshake, definition: Message<T>): Flow<boolean> {
  return (yield* nextMessage(h)).type === definition.type;
}

function* nextMessage(h: Handshake): Flow<RawMessage> {
  for (;;) {
    h.lookahead ??= yield* perform('message', undefined);
    // A HelloRequest in the middle of a handshake is to be ignored (RFC 5246 §7.4.1.1); an empty one only.
    if (h.lookahead.type !== HANDSHAKE_TYPE.hello_request || !passesOver(h)) return h.lookahead;
    h.lookahead = undefined;
  }
}

function passesOver(h: Handshake): boolean {
  if (h.lookahead?.raw.length !== HANDSHAKE_HEADER || h.helloRequestsLeft === 0) return false;
  h.helloRequestsLeft--;
  return true;
}

function unexpected(type: number, wanted: string): TlsError {
  return new TlsError('unexpected-message', `${handshakeTypeName(type)} came where ${wanted} was due`);
}
