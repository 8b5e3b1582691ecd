import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Connection } from '../../connection/connection.ts';
import { TlsError } from '../../errors.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { brokenPipe, destroyed, setCounterpart } from '../errors/errors.ts';
import { queuedError } from '../errors/openssl-errors.ts';
import { type ReportReader, Reports } from '../errors/reports.ts';
import { EarlyData } from '../socket/early-data.ts';
import { firstReason } from './first-bytes.ts';
import { unwireData, wireBase, wireDrain, wireIncoming, wireTransport } from './link-wiring.ts';
import { type Chunk, MAX_SLICE, Outbox, toBytes, type WriteCallback } from './outbox.ts';
import { hasEnded, hasNativeHandle, notBytes, privateStream, takeBuffered } from './private-stream.ts';
import { returnSealedMemory } from './sealed-memory.ts';
import { copiesWhatIsWritten, letGo } from './transport.ts';

/** What a link tells its socket. */
export interface LinkOwner extends ReportReader {
  readonly isServer: boolean;
  /** Begins the handshake. */
  begin(): void;
  /** Whether an end of the transport without close_notify ends reading only. */
  readonly toleratesTruncation: boolean;
  /** The connection broke. */
  onTransportError(error: Error): void;
  /** The program's own stream says that something is wrong; whether that ends it, its 'close' tells. */
  onBaseError(error: Error): void;
  onBaseClose(): void;
}

/**
 * Ties a connection of the engine to its transport, and both to the socket that the user holds. One object and no
 * closure per connection: it is the engine's event object itself, and the transport's listeners find it by a key.
 *
 * The engine's events are only noted while it runs and handed on after it: a user's handler that throws, or that
 * calls back into the socket, never finds the engine in the middle of a record.
 */
export class Link extends Reports {
  /** What the socket was given, or made for itself. */
  readonly base: Duplex;
  readonly owner: LinkOwner;
  readonly #isOwn: boolean;
  #transport: Duplex;
  #connection: Connection | undefined;
  #outbox: Outbox | undefined;
  #final: WriteCallback | undefined;
  #onSlice: WriteCallback | undefined;
  /** Of the write that the transport has not yet taken; at most one. */
  #writing: WriteCallback | undefined;
  /** That writer's data is in the engine still. */
  #isHeld = false;
  #onWritten: WriteCallback | undefined;
  /** Of the write that the transport has not yet taken, where it can be used again. */
  #sealed: Uint8Array | undefined;
  /** Plaintext bytes in a record; undefined for as many as fit. */
  #fragment: number | undefined;
  #early: EarlyData | undefined;
  #delivering = false;
  #isSecure = false;
  #hasReceived = false;
  ownsChunks = false;
  #readerIsFull = false;
  /** Bytes that the engine said by itself, since the transport last had taken all. */
  #unread = 0;
  #transportEnded = false;
  /** It ended without close_notify, and that is let pass: the engine goes on, for what is still to be sent. */
  #isTruncated = false;
  #isBaseClosed = false;
  /** The transport's events come here. */
  #isAttached = false;
  #isWithheld = false;
  /** Until the first bytes say otherwise. */
  #speaksTls = true;
  #closed = false;

  /** @param isOwn nobody but the owner has the base. */
  constructor(base: Duplex, owner: LinkOwner, isOwn: boolean) {
    super();
    this.base = base;
    this.owner = owner;
    this.#isOwn = isOwn;
    this.#transport = base;
    wireBase(base, this, isOwn);
  }

  /** Takes from the base, which is connected, what comes and goes over it: see {@link privateStream}. */
  take(): void {
    const { base } = this;
    const transport = this.#isOwn ? base : privateStream(base);
    this.#transport = transport;
    // When to end our side is decided above: the transport must not do it by itself at the peer's FIN.
    transport.allowHalfOpen = true;
    this.ownsChunks = transport !== base || (this.#isOwn && hasNativeHandle(base));
    if (transport !== base) wireTransport(transport, this);
  }

  /** Both sides have said that they send no more: what happens to the transport now is of no interest. */
  get isOver(): boolean {
    const connection = this.#connection;
    if (connection === undefined || connection.state === 'failed') return false;
    return this.isReadOver && connection.isWriteClosed;
  }

  /** Nothing more comes: the peer has said so, or what carried it has ended. */
  get isReadOver(): boolean {
    return this.#connection?.isReadClosed === true || this.#isTruncated;
  }

  /** Somebody has written, and the handshake is not complete. */
  get isAwaited(): boolean {
    return !this.#isSecure && this.#outbox !== undefined;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Puts another connection in the place of one that has seen nothing yet. False when it is too late. */
  replace(make: () => Connection): boolean {
    if (this.#hasReceived || this.#closed) return false;
    if (this.#connection !== undefined) {
      this.#connection = make();
      this.#connection.start();
    }
    return true;
  }

  /** Starts the handshake on a transport that was taken; a client's with early data, as far as a session allows it. */
  start(connection: Connection, early?: Uint8Array): void {
    this.#connection = connection;
    const transport = this.#transport;
    this.#attach();
    connection.start();
    if (early !== undefined) {
      this.#early = new EarlyData();
      this.#early.send(connection, early);
    }
    // Who gave the base may put something back into it first.
    if (!this.#isOwn) process.nextTick(takeBufferedLater, this);
    this.#settle();
    if (transport.isPaused()) transport.resume();
  }

  #attach(): void {
    if (this.#isAttached) return;
    this.#isAttached = true;
    wireIncoming(this.#transport);
  }

  /** Looks at what comes although no handshake has begun: bytes begin it, and an end is an end. */
  listen(): void {
    if (this.#isAttached || this.#closed) return;
    this.#attach();
    if (!this.#isOwn) this.takeBuffered();
    if (!this.#closed && this.#transport.isPaused()) this.#transport.resume();
  }

  /** Ends the transport of a client that has not begun. */
  endUnbegun(callback: WriteCallback): void {
    if (this.#transport.writable) this.#transport.end(callback);
    else callback();
  }

  /** Calls something that may close the connection: then the peer gets nothing of what waits to be sent. */
  withhold(call: () => void): void {
    this.#isWithheld = true;
    try {
      call();
    } finally {
      this.#isWithheld = false;
    }
  }

  baseClosed(): void {
    this.#isBaseClosed = true;
    this.owner.onBaseClose();
  }

  /** What came before the transport was taken. */
  takeBuffered(): void {
    if (this.#closed) return;
    const { base } = this;
    if (base !== this.#transport) takeBuffered(base, (bytes) => this.receive(bytes, false));
    if (hasEnded(base) && !this.#transportEnded && !this.#closed) this.receiveEnd();
  }

  // From the transport ------------------------------------------------------------------------------------------

  /** @param isOwned whether nobody else has the chunk. */
  receive(chunk: Uint8Array, isOwned: boolean): void {
    if (this.#closed) return;
    if (!(chunk instanceof Uint8Array)) {
      this.#refuseChunks();
      return;
    }
    if (this.#connection === undefined) this.owner.begin();
    if (this.#closed) return;
    const isFirst = !this.#hasReceived;
    this.#hasReceived = true;
    this.#connection!.receive(chunk, isOwned);
    const { failure } = this;
    if (failure?.code === 'not-tls') this.#speaksTls = false;
    const reason =
      isFirst && failure !== undefined ? firstReason(failure.code, chunk, this.owner.isServer) : undefined;
    if (reason !== undefined) setCounterpart(failure!, queuedError(reason, '', failure));
    this.#settle();
  }

  receiveEnd(): void {
    this.#transportEnded = true;
    const connection = this.#connection;
    if (connection === undefined) {
      this.owner.onEnd();
      return;
    }
    if (!this.#toleratesEnd(connection)) connection.receiveEnd();
    else if (!this.#isTruncated) {
      this.#isTruncated = true;
      this.truncate();
    }
    this.#settle();
  }

  #toleratesEnd({ state, isReadClosed, isBusy }: Connection): boolean {
    return this.owner.toleratesTruncation && state === 'open' && !isReadClosed && !isBusy;
  }

  /** Somebody made text or objects of what comes. */
  #refuseChunks(): void {
    unwireData(this.#transport.pause());
    this.owner.onBaseError(notBytes());
  }

  /** The reader wants more. */
  resume(): void {
    if (!this.#readerIsFull) return;
    this.#readerIsFull = false;
    this.#settle();
  }

  // From the engine ---------------------------------------------------------------------------------------------

  earlyData(bytes: Uint8Array): void {
    this.#early ??= new EarlyData();
    this.#early.keep(bytes);
  }

  wake(): void {
    this.#settle();
  }

  // To the transport --------------------------------------------------------------------------------------------

  write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: WriteCallback): void {
    const one = { chunk, encoding };
    if (!this.#isSecure) {
      this.#queue([one], callback);
      return;
    }
    const bytes = toBytes(one);
    if (bytes.length > MAX_SLICE) this.#queue([{ chunk: bytes, encoding }], callback);
    else this.#send(bytes, callback);
  }

  writev(chunks: readonly Chunk[], callback: WriteCallback): void {
    this.#queue(chunks, callback);
  }

  /** Sends close_notify and ends the transport's writing side, after everything that was written. */
  finish(callback: WriteCallback): void {
    if (!this.#isSecure) {
      this.#final = callback;
      return;
    }
    const connection = this.#connection!;
    connection.close();
    const last = connection.takeOutgoing();
    // From here on nothing is answered any more, and the peer's end is to be seen.
    this.#unread = 0;
    const transport = this.#transport;
    if (hasStopped(transport)) callback();
    else transport.end(last, (error?: Error | null) => callback(this.isReadOver ? null : error));
    this.#settle();
  }

  /**
   * Lets the transport go. An alert, or a last handshake message, still leaves if the transport takes it; close_notify with
   * `isAll`, when nothing waits to be sent. Writes under way fail with `error`.
   */
  close(error?: Error | undefined, isAll: boolean = false): void {
    if (this.#closed) return;
    this.#closed = true;
    const connection = this.#connection;
    if (isAll && this.#outbox === undefined && this.#writing === undefined) connection?.close();
    const last = this.#isWithheld ? undefined : connection?.takeOutgoing();
    // Wipes the secrets. The peer is told nothing: only `end` gives notice.
    connection?.abort(GIVEN_UP);
    this.forget();
    // First: whoever waits for a write hears that it failed before the stream below is gone, as node:http2 takes for granted.
    if (this.#writing !== undefined) this.#written(error ?? destroyed());
    if (this.#outbox !== undefined) this.#failOutbox(error ?? destroyed());
    letGo(this.#transport, last, this.#speaksTls);
    if (this.#transport.destroyed) this.base.destroy();
  }

  /**
   * Calls back when the base has closed, before {@link close}. As in Node, that is not waited for where it may never be told:
   * by a stream that is no socket, or by a socket of somebody else's that was destroyed before.
   */
  whenClosed(callback: () => void): void {
    const { base } = this;
    const mayNeverTell = !(base instanceof Socket) || (this.#isOwn ? this.#isBaseClosed : base.destroyed);
    if (mayNeverTell) setImmediate(callback);
    else base.once('close', () => process.nextTick(callback));
  }

  flush(): void {
    const bytes = this.#connection?.takeOutgoing();
    if (bytes === undefined || this.#closed) return;
    const transport = this.#transport;
    if (hasStopped(transport) || hasStopped(this.base)) return;
    if (this.#isHeld && this.#connection?.heldLength === 0) {
      this.#isHeld = false;
      transport.write(bytes, this.#onWritten);
    } else if (!transport.write(bytes)) this.#countUnread(bytes.length);
  }

  #countUnread(length: number): void {
    if (this.#unread === 0) wireDrain(this.#transport);
    this.#unread += length;
    this.#steer();
  }

  /** The transport has taken everything. */
  drained(): void {
    this.#unread = 0;
    this.#steer();
  }

  #queue(chunks: readonly Chunk[], callback: WriteCallback): void {
    this.#outbox = new Outbox(chunks, callback);
    if (this.#isSecure) this.#sendSlice();
  }

  #sendSlice(): void {
    const outbox = this.#outbox;
    if (outbox === undefined) return;
    const bytes = outbox.take();
    if (outbox.isEmpty) {
      this.#outbox = undefined;
      this.#send(bytes, outbox.callback);
      return;
    }
    // The next slice is sealed when the transport has taken this one.
    this.#onSlice ??= (error) => {
      if (error) this.#failOutbox(error);
      else this.#sendSlice();
    };
    this.#send(bytes, this.#onSlice);
  }

  #failOutbox(error: Error): void {
    const callback = this.#outbox?.callback;
    this.#outbox = undefined;
    callback?.(error);
  }

  #send(bytes: Uint8Array, callback: WriteCallback): void {
    const connection = this.#connection!;
    const transport = this.#transport;
    if (connection.state !== 'open' || connection.isWriteClosed || !transport.writable) {
      callback(brokenPipe());
      return;
    }
    if (this.#fragment === undefined) connection.send(bytes);
    else sendInFragments(connection, bytes, this.#fragment);
    const sealed = connection.takeOutgoing();
    // While keys change, up to TLS 1.2, data waits in the engine, and its writer with it.
    this.#isHeld = connection.heldLength > 0;
    if (sealed === undefined && !this.#isHeld) {
      callback();
    } else {
      this.#writing = callback;
      this.#onWritten ??= (error) => this.#taken(error);
      if (sealed !== undefined) {
        if (!this.#isHeld && copiesWhatIsWritten(transport)) this.#sealed = sealed;
        transport.write(sealed, this.#isHeld ? undefined : this.#onWritten);
      }
    }
    if (this.failure !== undefined) this.#settle();
  }

  #taken(error?: Error | null): void {
    const sealed = this.#sealed;
    this.#sealed = undefined;
    // After an error libuv may still hold it.
    if (sealed !== undefined && !error) returnSealedMemory(sealed);
    this.#written(error);
  }

  #written(error?: Error | null): void {
    const callback = this.#writing;
    this.#writing = undefined;
    callback?.(error);
  }

  /** Cuts what is sent from now on into records of at most this many plaintext bytes. */
  limitFragments(bytes: number): void {
    this.#fragment = bytes;
  }

  // Handing on --------------------------------------------------------------------------------------------------

  /** After each call into the engine: tells the owner, then writes what is left to say. */
  #settle(): void {
    if (this.#delivering || this.#closed) return;
    this.#delivering = true;
    // A server's tickets leave together with its first answer, which a handler may give in this turn.
    const waitsForUser = this.willBeSecure;
    let completed = false;
    try {
      this.tell();
      completed = true;
    } finally {
      this.#delivering = false;
      if (waitsForUser) process.nextTick(flushLater, this);
      else this.flush();
      this.#steer();
      // A handler threw: its error goes its way, and the rest is told afterwards.
      if (!completed) process.nextTick(settleLater, this);
    }
  }

  settle(): void {
    this.#settle();
  }

  protected override enter(info: ConnectionInfo): readonly Uint8Array[] | undefined {
    this.#isSecure = true;
    const early = this.#early?.settle(this.#connection!, info);
    this.#early = undefined;
    return early;
  }

  protected override fill(): void {
    this.#readerIsFull = true;
  }

  protected override get isClosed(): boolean {
    return this.#closed;
  }

  /** What was written before the handshake was complete. */
  protected override entered(): void {
    this.#sendSlice();
    const callback = this.#final;
    if (callback === undefined) return;
    this.#final = undefined;
    this.finish(callback);
  }

  /**
   * The transport is read while the reader has room, the handshake does not wait for an answer, and the peer takes what
   * the engine answers. What the application writes does not count: two that write before they read must not wait for ever.
   */
  #steer(): void {
    if (this.#closed) return;
    const transport = this.#transport;
    const isWanted = !this.#readerIsFull && !this.#connection!.isBusy && this.#unread < MAX_UNREAD;
    if (isWanted === !transport.isPaused()) return;
    if (isWanted) transport.resume();
    else transport.pause();
  }
}

function sendInFragments(connection: Connection, bytes: Uint8Array, length: number): void {
  for (let at = 0; at < bytes.length; at += length) connection.send(bytes.subarray(at, at + length));
}

function hasStopped(stream: Duplex): boolean {
  return stream.destroyed || stream.writableEnded;
}

/** One for all: it is not seen by anybody, and making an error costs more than the rest of closing. */
const GIVEN_UP = new TlsError('not-connected', 'the socket was destroyed');

/** Bytes of answers for a peer that does not read, above which it is not listened to. */
const MAX_UNREAD = 65_536;

function takeBufferedLater(link: Link): void {
  link.takeBuffered();
}

function flushLater(link: Link): void {
  link.flush();
}

function settleLater(link: Link): void {
  link.settle();
}
