import type { AlertName } from '../alerts.ts';
import { TlsError } from '../errors.ts';
import type { Channel, Exporter } from '../handshake/context.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import type { HandshakeBuffer } from '../handshake/handshake-buffer.ts';
import type { Established, FalseStartInfo } from '../handshake/result.ts';
import { Heartbeat } from '../heartbeat/heartbeat.ts';
import type { HeartbeatTerms } from '../heartbeat/terms.ts';
import type { Observer } from '../observer.ts';
import { CHANGE_CIPHER_SPEC } from '../record/content-type.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import type { RecordLayer } from '../record/record-layer.ts';
import type { RecordLimits } from '../record/record-limit.ts';
import type { Version } from '../versions.ts';
import type { AlertProtocol } from './alert-protocol.ts';
import type { DataGate } from './data-gate.ts';

/** A client may send before the peer's Finished has come: what it knows by then. */
export interface FalseStart {
  readonly info: FalseStartInfo;
  readonly exporter: Established['exportKeyingMaterial'];
}

/** The epoch of early data. */
const EARLY = 'early';

/** What a connection's handshakes do to it, and what they have set. */
export class ConnectionChannel implements Channel {
  /** TLS 1.3 was agreed on. */
  isTls13 = false;
  /** A ChangeCipherSpec is dropped: it only pleases middleboxes (RFC 9846 §5). */
  dropsChangeCipherSpec = false;
  /** Undefined where no heartbeats were agreed on. */
  heartbeat: Heartbeat | undefined;
  requestedName: string | undefined;
  /** What the application is to be told of a false start; undefined when it was, or when there is none. */
  falseStart: FalseStart | undefined;
  readonly #records: RecordLayer;
  readonly #alerts: AlertProtocol;
  readonly #gate: DataGate;
  readonly #handshakeBuffer: HandshakeBuffer;
  readonly #observer: Observer | undefined;

  constructor(
    records: RecordLayer,
    alerts: AlertProtocol,
    gate: DataGate,
    handshakeBuffer: HandshakeBuffer,
    observer: Observer | undefined,
  ) {
    this.#records = records;
    this.#alerts = alerts;
    this.#gate = gate;
    this.#handshakeBuffer = handshakeBuffer;
    this.#observer = observer;
  }

  get ssl2Hello(): Uint8Array | undefined {
    return this.#records.ssl2Hello;
  }

  writeHandshake(raw: Uint8Array): void {
    this.#observer?.message?.('sent', { type: raw[0]!, raw });
    this.#records.writeHandshake(raw);
  }

  writeChangeCipherSpec(): void {
    this.#observer?.changeCipherSpec?.('sent');
    this.#records.write(CHANGE_CIPHER_SPEC, Uint8Array.of(1));
  }

  setOpener(opener: RecordOpener, epoch: string): void {
    this.#gate.closeIncoming();
    this.#setOpener(opener, epoch);
  }

  setApplicationOpener(opener: RecordOpener, _proof: FinishedVerified, epoch: string): void {
    this.#setOpener(opener, epoch);
  }

  setEarlyOpener(opener: RecordOpener, limit: number, exporter: Exporter): void {
    this.#setOpener(opener, EARLY);
    this.#gate.takeEarly(limit, exporter);
  }

  openEarlyData(sealer: RecordSealer, limit: number, exporter: Exporter): void {
    this.#setSealer(sealer, EARLY);
    this.#gate.offerEarly(limit, exporter);
  }

  closeEarlyData(): void {
    this.#gate.endEarly();
  }

  startFalsely(info: FalseStartInfo, exporter: Established['exportKeyingMaterial']): void {
    this.#gate.startFalsely();
    this.falseStart = { info, exporter };
  }

  setSealer(sealer: RecordSealer, epoch: string): void {
    this.#setSealer(sealer, epoch);
    if (epoch === 'application') this.#gate.mayAnswerEarly();
  }

  chooseVersion(version: Version): void {
    this.#alerts.chosenVersion = version;
  }

  beginCompatibility(): void {
    this.dropsChangeCipherSpec = true;
  }

  endCompatibility(): void {
    this.dropsChangeCipherSpec = false;
  }

  useTls13(): void {
    this.isTls13 = true;
    this.dropsChangeCipherSpec = true;
    this.#records.useTls13Limit();
  }

  useVersion(version: Version, ways: 'both' | 'sent' = 'both'): void {
    this.#records.useVersion(version, ways);
    this.#alerts.useVersion(version);
  }

  warn(name: AlertName): void {
    this.#alerts.send('warning', name);
  }

  get recordLimits(): RecordLimits {
    return this.#records;
  }

  useHeartbeat(terms: HeartbeatTerms | undefined): void {
    this.heartbeat = terms === undefined ? undefined : new Heartbeat(terms, this.#records);
    // Records that are on their way when a new handshake gives heartbeats up are still records.
    if (terms !== undefined) this.#records.takeHeartbeats();
  }

  skipUndecryptable(bytes: number): void {
    this.#records.skipUndecryptable(bytes);
  }

  #setOpener(opener: RecordOpener, epoch: string): void {
    if (!this.#handshakeBuffer.isEmpty) {
      throw new TlsError(
        'interleaved-handshake',
        'a handshake message spans a change of keys (RFC 9846 §5.1)',
      );
    }
    this.#records.setOpener(opener, epoch === EARLY);
    this.#observer?.keys?.('received', epoch);
  }

  #setSealer(sealer: RecordSealer, epoch: string): void {
    this.#records.setSealer(sealer);
    this.#observer?.keys?.('sent', epoch);
  }
}
