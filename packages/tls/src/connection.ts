import { ALERTS, type AlertName, alertName } from './alerts.ts';
import { MAX_WAITING_BYTES, MAX_WARNING_ALERTS } from './defaults.ts';
import { Driver, type Services } from './driver.ts';
import { asTlsError, TlsError } from './errors.ts';
import type { Flow } from './flow.ts';
import type { FinishedVerified } from './handshake/finished-verified.ts';
import type { Channel } from './handshake/handshake.ts';
import { HandshakeBuffer } from './handshake/handshake-buffer.ts';
import type { ConnectionInfo, Established, HandshakeResult } from './handshake/result.ts';
import { handshakeTypeName, type RawMessage } from './messages/handshake-type.ts';
import type { Observer } from './observer.ts';
import type { CommonConfig } from './options.ts';
import { ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE } from './record/content-type.ts';
import type { Plaintext, RecordOpener, RecordSealer } from './record/protection.ts';
import { RecordLayer } from './record/record-layer.ts';
import type { Session } from './sessions/session.ts';

/** What a connection tells its owner. Called while the owner's own call runs, or after an asynchronous answer. */
export interface ConnectionEvents {
  /** The handshake is complete: application data may be sent. */
  secure?(info: ConnectionInfo): void;
  /** Application data: a fresh view that the owner may keep. */
  data?(bytes: Uint8Array): void;
  /** A client can resume this session later. */
  session?(session: Session): void;
  /** close_notify: the peer sends nothing more. */
  end?(): void;
  /** The connection failed; the alert, if one is due, waits in the outgoing bytes. Called once. */
  failed?(error: TlsError): void;
  /** Something changed after an asynchronous answer: take outgoing bytes, and feed again if `isBusy` was true. */
  wake?(): void;
}

type State = 'handshaking' | 'open' | 'closed' | 'failed';

/**
 * One TLS connection without a socket (sans-IO): feed it the transport's bytes with {@link receive}, give it
 * application data with {@link send}, and after each call write {@link takeOutgoing} to the transport.
 */
export class Connection {
  readonly #events: ConnectionEvents;
  readonly #observer: Observer | undefined;
  readonly #records: RecordLayer;
  readonly #handshakeBuffer: HandshakeBuffer;
  /** Only while the handshake runs: its flow holds the transcript and everything else that went into it. */
  #driver: Driver<HandshakeResult> | undefined;
  #state: State = 'handshaking';
  #info: ConnectionInfo | undefined;
  #established: Established | undefined;
  #readClosed = false;
  #writeClosed = false;
  #transportEnded = false;
  #started = false;
  #processing = false;
  #tls13 = false;
  #compatibilityCcs = false;
  #mayReadApplicationData = false;
  #warningAlerts = 0;
  readonly #halfClose: boolean;
  #receiving = 'the handshake';

  /** Use `clientConnection` and `serverConnection`. */
  constructor(
    config: CommonConfig,
    parts: {
      flow: (channel: Channel) => Flow<HandshakeResult>;
      services: Services;
      events: ConnectionEvents;
      observer: Observer | undefined;
      initialVersion: number;
      halfClose?: boolean | undefined;
    },
  ) {
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
    });
    this.#driver = new Driver(parts.flow(this.#channel()), parts.services, (resume) =>
      this.#onAnswer(resume),
    );
  }

  // The owner's side --------------------------------------------------------------------------------------------

  /** Starts the handshake: a client's ClientHello is then in the outgoing bytes. A second call does nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#guard(() => this.#step(() => this.#driver?.resume(undefined)));
  }

  /** Bytes from the transport. They must not change afterwards: data may be handed out as views on them. */
  receive(chunk: Uint8Array): void {
    if (this.#readClosed || this.#state === 'failed' || this.#state === 'closed' || chunk.length === 0)
      return;
    this.#records.push(chunk);
    this.#process();
    if (this.isBusy && this.#records.buffered > MAX_WAITING_BYTES) {
      this.#fail(
        new TlsError('too-much-waiting', 'the peer sent too much while the handshake waited for an answer'),
      );
    }
  }

  /** The transport has ended. Without close_notify before it this is a failure: `truncated`. */
  receiveEnd(): void {
    this.#transportEnded = true;
    if (this.#readClosed || this.#state === 'failed' || this.#state === 'closed' || this.isBusy) return;
    const during =
      this.#state === 'handshaking' ? 'during the handshake' : 'without close_notify: data may be missing';
    this.#fail(new TlsError('truncated', `the peer ended the connection ${during}`));
  }

  /** Protects application data. Throws `not-connected` before the handshake is complete and after close. */
  send(data: Uint8Array): void {
    if (this.#state !== 'open' || this.#writeClosed) {
      throw new TlsError('not-connected', 'application data needs an open connection');
    }
    this.#guard(() => this.#sendInParts(data));
  }

  /** Ends what we send with close_notify. What the peer sends still arrives, until its own. */
  close(): void {
    if (this.#writeClosed || this.#state === 'failed') return;
    this.#guard(() => {
      this.#sendAlert('warning', 'close_notify');
      this.#writeClosed = true;
      if (this.#state === 'handshaking') this.#driver?.abort();
      if (this.#state === 'handshaking' || this.#readClosed) this.#finish('closed');
    });
  }

  /** Gives the connection up: the peer is sent the alert that fits. Does nothing when it is over already. */
  abort(error: TlsError = new TlsError('aborted', 'the connection was given up on this side')): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#fail(error);
  }

  /** Replaces our keys by a KeyUpdate, and asks the peer to replace its own. TLS 1.3, else throws `not-connected`. */
  updateKeys(options: { requestPeer: boolean } = { requestPeer: true }): void {
    if (this.#state !== 'open' || this.#writeClosed || !this.#established?.canUpdateKeys) {
      throw new TlsError('not-connected', 'a key update needs an open TLS 1.3 connection');
    }
    this.#guard(() => this.#established!.updateKeys(options.requestPeer));
  }

  /** Keying material for another protocol (RFC 5705, RFC 9846 §7.5); `length` in bytes. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (this.#established === undefined) throw new TlsError('not-connected', 'the handshake is not complete');
    return this.#established.exportKeyingMaterial(label, context, length);
  }

  /** Everything that waits for the transport; undefined when nothing does. */
  takeOutgoing(): Uint8Array | undefined {
    this.#records.flushHandshake();
    return this.#records.takeOutgoing();
  }

  /** Length of what waits for the transport, in bytes. */
  get outgoingLength(): number {
    return this.#records.outgoingLength;
  }

  /** True while the handshake waits for an answer from this side: better feed nothing until `wake`. */
  get isBusy(): boolean {
    return this.#state === 'handshaking' && this.#driver?.waitsFor === 'answer';
  }

  /** What was agreed on; undefined until the handshake is complete. */
  get info(): ConnectionInfo | undefined {
    return this.#info;
  }

  get state(): State {
    return this.#state;
  }

  /** True when the peer's close_notify came. */
  get isReadClosed(): boolean {
    return this.#readClosed;
  }

  /** True after {@link close}. */
  get isWriteClosed(): boolean {
    return this.#writeClosed;
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
      this.#handshakeBuffer.push(content);
      this.#deliverMessages();
      return;
    }
    const isFatalAlert = type === ALERT && content[0] === FATAL;
    if (!this.#handshakeBuffer.isEmpty && !isFatalAlert) {
      throw new TlsError('interleaved-handshake', 'another record came in the middle of a handshake message');
    }
    if (type === ALERT) this.#receiveAlert(content);
    else if (type === CHANGE_CIPHER_SPEC) this.#receiveChangeCipherSpec(content);
    else this.#receiveApplicationData(content);
  }

  #receiveApplicationData(content: Uint8Array): void {
    if (!this.#mayReadApplicationData) {
      throw new TlsError('unexpected-message', 'application data before the handshake was complete');
    }
    this.#warningAlerts = 0;
    if (content.length > 0) this.#tell(() => this.#events.data?.(content));
  }

  #deliverMessages(): void {
    while (!this.isBusy && !this.#readClosed && this.#state !== 'failed') {
      if (this.#state === 'handshaking' && this.#driver?.waitsFor === 'changeCipherSpec') {
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
    if (this.#state === 'handshaking') this.#step(() => this.#driver?.resume(message));
    else this.#established!.receive(message);
  }

  #receiveChangeCipherSpec(content: Uint8Array): void {
    if (content.length !== 1 || content[0] !== 1) {
      throw new TlsError(
        this.#tls13 ? 'unexpected-message' : 'malformed-record',
        'a ChangeCipherSpec that is not the byte 1',
      );
    }
    if (this.#driver?.waitsFor === 'changeCipherSpec') {
      this.#observer?.changeCipherSpec?.('received');
      this.#step(() => this.#driver?.resume(undefined));
      return;
    }
    // Sent only to please middleboxes; dropped (RFC 9846 §5).
    if (this.#compatibilityCcs) return;
    throw new TlsError('unexpected-message', 'a ChangeCipherSpec where none may come');
  }

  #receiveAlert(content: Uint8Array): void {
    if (content.length !== 2) throw new TlsError('malformed-record', 'an alert has two bytes');
    const [level, code] = content as unknown as [number, number];
    if (level !== WARNING && level !== FATAL)
      throw new TlsError('illegal-parameter', `an alert of level ${level}`);
    const name = alertName(code);
    this.#observer?.alert?.('received', level === WARNING ? 'warning' : 'fatal', name);
    if (code === ALERTS.close_notify) {
      this.#receiveCloseNotify();
      return;
    }
    const isWarning = code === ALERTS.user_canceled || (level === WARNING && !this.#tls13);
    if (!isWarning) {
      this.#fail(
        new TlsError('alert-received', `the peer ended the connection: ${name}`, { receivedAlert: name }),
      );
      return;
    }
    if (++this.#warningAlerts > MAX_WARNING_ALERTS) {
      throw new TlsError('too-many-warning-alerts', `more than ${MAX_WARNING_ALERTS} warnings in a row`);
    }
  }

  #receiveCloseNotify(): void {
    this.#readClosed = true;
    if (this.#state === 'handshaking') {
      this.#fail(new TlsError('truncated', 'the peer closed the connection during the handshake'));
      return;
    }
    // Up to TLS 1.2 the answer is due at once and what is pending is dropped (RFC 5246 §7.2.1). RFC 9846 §6.1 has
    // given that up, since it can cut off an answer; an owner who wants it so does the same for 1.2.
    if (!this.#tls13 && !this.#halfClose) this.close();
    this.#tell(() => this.#events.end?.());
    if (this.#writeClosed) this.#finish('closed');
  }

  #sendInParts(data: Uint8Array): void {
    const established = this.#established!;
    let rest = data;
    while (rest.length > 0) {
      established.prepareToSend();
      // The key is replaced before its limit, so that alerts and KeyUpdates always have room (RFC 9846 §5.5).
      const records = established.canUpdateKeys ? this.#records.sealsBeforeUpdate : Number.MAX_SAFE_INTEGER;
      if (records <= 0) {
        established.updateKeys(false);
        continue;
      }
      const most = records * this.#records.fragmentLength;
      const part = rest.length > most ? rest.subarray(0, most) : rest;
      this.#records.write(APPLICATION_DATA, part);
      rest = rest.subarray(part.length);
    }
  }

  #sendAlert(level: 'warning' | 'fatal', name: AlertName): void {
    this.#observer?.alert?.('sent', level, name);
    this.#records.write(ALERT, Uint8Array.of(level === 'warning' ? WARNING : FATAL, ALERTS[name]));
  }

  // The handshake -----------------------------------------------------------------------------------------------

  #channel(): Channel {
    return {
      writeHandshake: (raw) => {
        this.#observer?.message?.('sent', { type: raw[0]!, raw });
        this.#records.writeHandshake(raw);
      },
      writeChangeCipherSpec: () => {
        this.#observer?.changeCipherSpec?.('sent');
        this.#records.write(CHANGE_CIPHER_SPEC, Uint8Array.of(1));
      },
      setOpener: (opener, epoch) => this.#setOpener(opener, epoch),
      setApplicationOpener: (opener, _proof) => this.#setOpener(opener, 'application'),
      setSealer: (sealer, epoch) => this.#setSealer(sealer, epoch),
      beginCompatibility: () => {
        this.#compatibilityCcs = true;
      },
      useTls13: () => {
        this.#tls13 = true;
        this.#compatibilityCcs = true;
        this.#records.useTls13Limit();
      },
      useVersion: (version) => this.#records.useVersion(version),
      endCompatibility: () => {
        this.#compatibilityCcs = false;
      },
      skipUndecryptable: (bytes) => this.#records.skipUndecryptable(bytes),
    };
  }

  #setOpener(opener: RecordOpener, epoch: string): void {
    if (!this.#handshakeBuffer.isEmpty) {
      throw new TlsError(
        'interleaved-handshake',
        'a handshake message lies across a change of keys (RFC 9846 §5.1)',
      );
    }
    this.#records.setOpener(opener);
    this.#observer?.keys?.('received', epoch);
  }

  #setSealer(sealer: RecordSealer, epoch: string): void {
    this.#records.setSealer(sealer);
    this.#observer?.keys?.('sent', epoch);
  }

  #step(resume: () => void): void {
    resume();
    const result = this.#driver?.result;
    if (result === undefined || this.#state !== 'handshaking') return;
    this.#complete(result, result.proof);
  }

  #complete(result: HandshakeResult, _proof: FinishedVerified): void {
    this.#state = 'open';
    this.#info = result.info;
    this.#established = result.established;
    this.#driver = undefined;
    this.#mayReadApplicationData = true;
    this.#compatibilityCcs = false;
    this.#receiving = 'application data';
    this.#tell(() => this.#events.secure?.(result.info));
  }

  #onAnswer(resume: () => void): void {
    if (this.#state !== 'handshaking') return;
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
    this.#finish('failed');
    if (error.alert !== 'none' && !this.#writeClosed) {
      try {
        this.#sendFailure(error.alert, wasHandshaking);
      } catch {
        // The key has reached its limit: nothing can be said any more.
      }
    }
    this.#writeClosed = true;
    if (wasHandshaking) this.#driver?.abort();
    this.#events.failed?.(error);
  }

  #sendFailure(alert: AlertName, wasHandshaking: boolean): void {
    if (alert !== 'user_canceled') {
      this.#sendAlert('fatal', alert);
      return;
    }
    // Peers pass over user_canceled: what ends a handshake is the close_notify behind it (RFC 9846 §6.1). Data would
    // seem complete by one, so that an open connection is given up without a word: the peer sees it truncated.
    if (!wasHandshaking) return;
    this.#sendAlert('warning', alert);
    this.#sendAlert('warning', 'close_notify');
  }

  #finish(state: 'closed' | 'failed'): void {
    this.#state = state;
    if (state === 'failed') this.#readClosed = true;
    this.#established?.wipe();
  }
}

/** AlertLevel (RFC 9846 §6). */
const WARNING = 1;
const FATAL = 2;

class OwnersError extends Error {}
