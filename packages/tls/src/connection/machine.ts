import type { CommonConfig } from '../config/config.ts';
import { MAX_WAITING_BYTES } from '../config/defaults.ts';
import { asTlsError, OwnersError, TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { HandshakeBuffer } from '../handshake/handshake-buffer.ts';
import type { AfterHandshake, ConnectionInfo, Established, HandshakeResult } from '../handshake/result.ts';
import type { Heartbeat } from '../heartbeat/heartbeat.ts';
import { handshakeTypeName, type RawMessage } from '../messages/handshake-type.ts';
import type { Observer } from '../observer.ts';
import { ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE } from '../record/content-type.ts';
import { mayInterrupt } from '../record/interruptions.ts';
import type { Plaintext } from '../record/protection.ts';
import { RecordLayer } from '../record/record-layer.ts';
import type { Services } from '../requests.ts';
import { declined } from '../tls12/renegotiation.ts';
import { AlertProtocol } from './alert-protocol.ts';
import { checkChangeCipherSpec } from './change-cipher-spec.ts';
import { ConnectionChannel, type FalseStart } from './channel.ts';
import { DataGate } from './data-gate.ts';
import { Driver } from './driver.ts';
import type { ConnectionEvents } from './events.ts';
import type { ConnectionFacts } from './facts.ts';
import { OutgoingData } from './outgoing-data.ts';
import type { ConnectionParts } from './side.ts';

export type ConnectionState = 'handshaking' | 'open' | 'closed' | 'failed';

/**
 * What goes on in a {@link Connection}: records come in and go out, handshakes run, keys change, and one day it ends. Its methods
 * are described there.
 */
export class ConnectionMachine {
  readonly #facts: ConnectionFacts;
  readonly #events: ConnectionEvents;
  readonly #observer: Observer | undefined;
  readonly #records: RecordLayer;
  readonly #alerts: AlertProtocol;
  readonly #data: OutgoingData;
  readonly #services: Services;
  readonly #handshakeBuffer: HandshakeBuffer;
  /** Only while the handshake runs: its flow holds the transcript and everything else that went into it. */
  #driver: Driver<HandshakeResult | AfterHandshake> | undefined;
  #state: ConnectionState = 'handshaking';
  #established: Established | undefined;
  #readClosed = false;
  #writeClosed = false;
  #closesLater = false;
  #transportEnded = false;
  #started = false;
  #processing = false;
  readonly #channel: ConnectionChannel;
  readonly #gate = new DataGate();
  #abandonSession: ((info: ConnectionInfo | undefined) => void) | undefined;
  readonly #halfClose: boolean;
  #receiving = 'the handshake';
  #renegotiationBar: TlsError | undefined;

  constructor(config: CommonConfig, parts: ConnectionParts, facts: ConnectionFacts) {
    this.#facts = facts;
    this.#events = parts.events;
    this.#observer = parts.observer;
    this.#halfClose = parts.halfClose ?? false;
    this.#handshakeBuffer = new HandshakeBuffer(config.limits);
    this.#records = new RecordLayer({
      observer: parts.observer,
      paddingFor: config.padding,
      splitsRecords: config.splitsRecords,
      fragmentLength: config.fragmentLength,
      keyUpdateAfter: config.keyUpdateAfter,
      allocate: config.allocate,
      initialVersion: parts.initialVersion,
      ssl2Hello: parts.ssl2Hello,
    });
    this.#alerts = new AlertProtocol(this.#records, parts.observer, config.alertFor);
    this.#data = new OutgoingData(this.#records, () => this.#renewKeys());
    this.#services = parts.services;
    this.#abandonSession = parts.abandonSession;
    this.#channel = new ConnectionChannel(
      this.#records,
      this.#alerts,
      this.#gate,
      this.#handshakeBuffer,
      parts.observer,
    );
    this.#driver = this.#drive(parts.flow(this.#channel));
  }

  // The owner's side --------------------------------------------------------------------------------------------

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#guard(() => this.#step(() => this.#driver?.resume(undefined)));
  }

  receive(chunk: Uint8Array, isOwned: boolean): void {
    if (this.#readClosed || this.#isOver || chunk.length === 0) return;
    this.start();
    this.#records.push(chunk, isOwned);
    this.#process();
    if (this.isBusy && this.#records.buffered > MAX_WAITING_BYTES) {
      this.#fail(new TlsError('too-much-waiting', 'too much came while the handshake waited for an answer'));
    }
  }

  receiveEnd(): void {
    this.#transportEnded = true;
    if (this.#readClosed || this.#isOver || this.isBusy) return;
    const during =
      this.#state === 'handshaking' ? 'during the handshake' : 'without close_notify: data may be missing';
    this.#fail(new TlsError('truncated', `the peer ended the connection ${during}`));
  }

  send(data: Uint8Array): void {
    if (!this.maySend) throw new TlsError('not-connected', 'application data needs an open connection');
    this.#guard(() => this.#data.send(data));
  }

  sendEarlyData(data: Uint8Array): void {
    this.#gate.sendsEarly(data.length);
    this.#guard(() => this.#records.write(APPLICATION_DATA, data));
  }

  get earlyDataLeft(): number {
    return this.#isOver ? 0 : this.#gate.earlyLeft;
  }

  close(): void {
    if (this.#writeClosed || this.#state === 'failed') return;
    if (this.heldLength > 0 && !this.#readClosed) {
      // What was given before goes first, when the renegotiation is over.
      this.#closesLater = true;
      return;
    }
    this.#guard(() => {
      this.#alerts.send('warning', 'close_notify');
      this.#writeClosed = true;
      this.#established?.endWriting();
      // After a TLS 1.3 handshake, and a false start, a flow may still verify what comes. In the middle of a
      // renegotiation, however, the peer's next records may be under keys that nobody will know.
      const isHandshaking =
        this.#state === 'handshaking' ? !this.#gate.isFalselyOpen : !this.#channel.isTls13;
      if (isHandshaking) this.#driver?.abort();
      if (this.#readClosed || (isHandshaking && this.#driver !== undefined)) this.#finish('closed');
    });
  }

  abort(error: TlsError): void {
    if (this.#isOver) return;
    this.#fail(error);
  }

  updateKeys(requestPeer: boolean): void {
    if (this.#state !== 'open' || this.#writeClosed || !this.#established?.canUpdateKeys) {
      throw new TlsError('not-connected', 'a key update needs an open TLS 1.3 connection');
    }
    this.#guard(() => this.#established!.updateKeys(requestPeer));
  }

  exportEarlyKeyingMaterial(length: number, label: string, context: Uint8Array | undefined): Uint8Array {
    return this.#gate.exportEarly(label, context ?? new Uint8Array(0), length);
  }

  /** Runs what is to be done after the handshake. Throws `not-connected` unless the connection is open and idle. */
  begin(what: (established: Established) => Flow<AfterHandshake> | undefined): void {
    const established = this.#established;
    if (this.#state !== 'open' || this.#writeClosed || established === undefined || this.#driver) {
      throw new TlsError('not-connected', 'this needs an open connection with nothing else in progress');
    }
    const flow = what(established);
    if (flow !== undefined) this.#guard(() => this.#runAfterwards(flow));
  }

  barRenegotiation(error: TlsError): void {
    this.#renegotiationBar = error;
  }

  /** Where heartbeats were agreed on, while they may flow: not during a handshake. */
  get idleHeartbeat(): Heartbeat | undefined {
    const isIdle = this.#state === 'open' && !this.#writeClosed && this.#driver === undefined;
    return isIdle ? this.#channel.heartbeat : undefined;
  }

  takeOutgoing(): Uint8Array | undefined {
    this.#records.flushHandshake();
    return this.#records.takeOutgoing();
  }

  get maySend(): boolean {
    return this.#gate.maySend && !this.isWriteClosed && !this.#isOver;
  }

  get outgoingLength(): number {
    return this.#records.outgoingLength;
  }

  get heldLength(): number {
    return this.#data.heldLength;
  }

  get isBusy(): boolean {
    return this.#driver?.waitsFor === 'answer';
  }

  get requestedName(): string | undefined {
    return this.#channel.requestedName;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get #isOver(): boolean {
    return this.#state === 'failed' || this.#state === 'closed';
  }

  get isReadClosed(): boolean {
    return this.#readClosed;
  }

  get isWriteClosed(): boolean {
    return this.#writeClosed || this.#closesLater;
  }

  // Records -----------------------------------------------------------------------------------------------------

  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    try {
      this.#guard(() => {
        this.#deliverMessages();
        while (!this.isBusy && !this.#readClosed && this.#state !== 'failed') {
          const record = this.#records.next();
          if (record === undefined) break;
          this.#receiveRecord(record);
        }
      });
    } finally {
      this.#processing = false;
    }
  }

  #receiveRecord(record: Plaintext): void {
    const { type, content } = record;
    if (type === HANDSHAKE) {
      if (content.length === 0)
        throw new TlsError('unexpected-message', 'an empty handshake record (RFC 9846 §5.1)');
      this.#handshakeBuffer.push(content, this.#state === 'open' && !this.#channel.isTls13);
      this.#deliverMessages();
      return;
    }
    if (!this.#handshakeBuffer.isEmpty && !mayInterrupt(type, content, this.#handshakeBuffer)) {
      throw new TlsError('interleaved-handshake', 'another record came in the middle of a handshake message');
    }
    if (type === ALERT) this.#receiveAlert(content);
    else if (type === CHANGE_CIPHER_SPEC) this.#receiveChangeCipherSpec(content);
    else if (type === APPLICATION_DATA) this.#receiveApplicationData(content);
    else this.#receiveHeartbeat(content);
  }

  /** Silent discards are RFC 6520's: nothing is answered, or taken for an answer, while a handshake goes on (§3). */
  #receiveHeartbeat(content: Uint8Array): void {
    if (this.#channel.heartbeat === undefined)
      throw new TlsError('unexpected-message', 'a heartbeat where none is allowed');
    const answered = this.idleHeartbeat?.receive(content);
    if (answered !== undefined) this.#tell(answered);
  }

  #receiveApplicationData(content: Uint8Array): void {
    this.#alerts.dataCame(content.length);
    const event = this.#gate.receives(content.length) === 'data' ? this.#events.data : this.#events.earlyData;
    if (content.length > 0) this.#tell(() => event?.call(this.#events, content));
  }

  #deliverMessages(): void {
    while (!this.isBusy && !this.#readClosed && this.#state !== 'failed') {
      if (this.#driver?.waitsFor === 'changeCipherSpec') {
        if (this.#handshakeBuffer.isEmpty) return;
        throw new TlsError('unexpected-message', 'a handshake message came where ChangeCipherSpec was due');
      }
      const message = this.#handshakeBuffer.next();
      if (message === undefined) return;
      this.#receiveMessage(message);
    }
  }

  #receiveMessage(message: RawMessage): void {
    this.#receiving = handshakeTypeName(message.type);
    this.#observer?.message?.('received', message);
    const driver = this.#driver;
    if (driver !== undefined && driver.waitsFor === 'message') {
      this.#step(() => driver.resume(message));
      return;
    }
    const flow = this.#established!.receive(message);
    if (flow !== undefined) {
      if (this.#renegotiationBar !== undefined && !this.#channel.isTls13) throw this.#renegotiationBar;
      this.#runAfterwards(flow);
    }
  }

  #receiveChangeCipherSpec(content: Uint8Array): void {
    checkChangeCipherSpec(content, this.#channel.isTls13);
    if (this.#driver?.waitsFor === 'changeCipherSpec') {
      this.#observer?.changeCipherSpec?.('received');
      this.#step(() => this.#driver?.resume(undefined));
      return;
    }
    if (this.#channel.dropsChangeCipherSpec) return;
    throw new TlsError('unexpected-message', 'a ChangeCipherSpec where none is allowed');
  }

  #receiveAlert(content: Uint8Array): void {
    const alert = this.#alerts.receive(content, this.#channel.isTls13);
    if (alert.kind === 'close_notify') this.#receiveCloseNotify();
    if (alert.kind === 'warning' && alert.name === 'no_renegotiation') this.#receiveNoRenegotiation();
    if (alert.kind !== 'fatal') return;
    const message = `the peer ended the connection: ${alert.name}`;
    this.#fail(new TlsError('alert-received', message, { receivedAlert: alert.name }));
  }

  #receiveNoRenegotiation(): void {
    if (this.#state !== 'open' || this.#channel.isTls13) return;
    const driver = this.#driver;
    if (driver === undefined) this.#established?.renegotiationDeclined();
    else this.#step(() => driver.interrupt(declined()));
    this.#tell(() => this.#events.renegotiationDeclined?.());
  }

  #receiveCloseNotify(): void {
    this.#readClosed = true;
    if (this.#state === 'handshaking') {
      this.#fail(new TlsError('truncated', 'the peer closed the connection during the handshake'));
      return;
    }
    // Up to TLS 1.2 the answer is due at once and what is pending is dropped (RFC 5246 §7.2.1). RFC 9846 §6.1 has
    // given that up, since it can cut off an answer; an owner who wants it so does the same for 1.2.
    // A renegotiation that is under way will never be complete then, nor will what waits for it ever be sent.
    const isCutOff = this.#driver !== undefined || !this.#halfClose;
    if (!this.#channel.isTls13 && isCutOff) this.close();
    this.#tell(() => this.#events.end?.());
    if (this.#writeClosed) this.#finish('closed');
  }

  // The handshake -----------------------------------------------------------------------------------------------

  #drive<R extends HandshakeResult | AfterHandshake>(flow: Flow<R>): Driver<R> {
    return new Driver(flow, this.#services, (resume) => this.#onAnswer(resume));
  }

  #step(resume: () => void): void {
    resume();
    const result = this.#driver?.result;
    if (this.#isOver) return;
    if (result === undefined) {
      if (this.#channel.falseStart !== undefined) this.#tellFalseStart(this.#channel.falseStart);
      return;
    }
    this.#driver = undefined;
    if ('proof' in result) this.#complete(result, result.proof);
    else this.#changed(result.info);
  }

  #tellFalseStart({ info, exporter }: FalseStart): void {
    this.#channel.falseStart = undefined;
    this.#facts.exportWith(exporter);
    this.#tell(() => this.#events.falseStart?.(info));
  }

  /** Runs a flow that a message, or the owner, began after the handshake. */
  #runAfterwards(flow: Flow<AfterHandshake>): void {
    if (this.#driver !== undefined) {
      throw new TlsError('unexpected-message', 'the peer starts something while something else goes on');
    }
    // Up to TLS 1.2 keys change in such a flow: our own data waits, so that it goes under one or the other.
    if (!this.#channel.isTls13) this.#data.hold();
    const driver = this.#drive(flow);
    this.#driver = driver;
    this.#step(() => driver.resume(undefined));
  }

  #renewKeys(): void {
    if (this.#driver === undefined && this.#established?.canRenegotiate)
      this.begin((established) => established.renegotiate(false));
  }

  #complete(result: HandshakeResult, _proof: FinishedVerified): void {
    const isFirst = this.#state === 'handshaking';
    this.#state = 'open';
    this.#established?.wipe();
    this.#established = result.established;
    if (this.#writeClosed) result.established.endWriting();
    this.#facts.learn(result.info, result.established, this.#records);
    this.#abandonSession = result.abandonSession ?? this.#abandonSession;
    this.#gate.open();
    this.#channel.endCompatibility();
    this.#receiving = 'application data';
    this.#data.use(result.established);
    this.#closeIfDue();
    this.#tell(() => (isFirst ? this.#events.secure?.(result.info) : this.#events.changed?.(result.info)));
  }

  #closeIfDue(): void {
    if (!this.#closesLater) return;
    this.#closesLater = false;
    this.close();
  }

  #changed(info: ConnectionInfo | undefined): void {
    this.#data.release();
    this.#closeIfDue();
    if (info === undefined) return;
    this.#facts.learn(info);
    this.#tell(() => this.#events.changed?.(info));
  }

  #onAnswer(resume: () => void): void {
    if (this.#isOver) return;
    this.#guard(() => this.#step(resume));
    this.#process();
    if (this.#transportEnded) this.receiveEnd();
    this.#events.wake?.();
  }

  // The end -----------------------------------------------------------------------------------------------------

  /** Runs what may fail because of the peer. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (error instanceof OwnersError) throw error.cause;
      this.#fail(asTlsError(error, this.#receiving));
    }
  }

  /** Calls the owner. What it throws is its own affair: it goes back to it, and is no failure of the connection. */
  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      throw new OwnersError('thrown by an event handler', { cause: error });
    }
  }

  #fail(error: TlsError): void {
    if (this.#state === 'failed') return;
    const wasHandshaking = this.#state === 'handshaking';
    this.#finish('failed', error.endsSession);
    if (error.alert !== 'none' && !this.#writeClosed) {
      try {
        this.#alerts.sendFailure(error, wasHandshaking);
      } catch {
        // The key has reached its limit: nothing can be said any more.
      }
    }
    this.#writeClosed = true;
    this.#driver?.abort();
    this.#events.failed?.(error);
  }

  #finish(state: 'closed' | 'failed', endsSession = false): void {
    this.#state = state;
    if (state === 'failed') this.#readClosed = true;
    this.#facts.exportWith(undefined);
    // Before the secrets are wiped that name the sessions.
    if (endsSession) this.#abandonSession?.(this.#facts.info);
    this.#abandonSession = undefined;
    this.#established?.wipe();
  }
}
