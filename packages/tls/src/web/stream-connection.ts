import type { Connection } from '../connection/connection.ts';
import type { ConnectionEvents } from '../connection/events.ts';
import { TlsError } from '../errors.ts';
import type { ConnectionInfo } from '../handshake/result.ts';
import { type Deferred, deferred } from './deferred.ts';
import { dropRest } from './drop-rest.ts';
import { TransportWriter } from './transport-writer.ts';
import type { StreamOptions, TlsStream, Transport } from './types.ts';

const DEFAULT_HANDSHAKE_TIMEOUT = 30_000;
const DEFAULT_READ_AHEAD = 16_384;
/** Bytes of application data that are protected in one go, and that `writable` holds before it asks to wait. */
const WRITE_PART = 65_536;
/** Milliseconds that an end may take: for the last bytes to go out, and for the peer's own end after `close()`. */
const CLOSE_GRACE = 2_000;

/** A connection between two streams of the transport and two streams of the application. */
export class StreamConnection implements TlsStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #connection: Connection;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #transport: TransportWriter;
  readonly #secure: Deferred<void> = deferred();
  readonly #over: Deferred<void> = deferred();
  readonly #readAhead: number;
  readonly #handshakeTimeout: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbortSignal = (): void => this.abort(this.#signal!.reason);
  #woken: Deferred<void> = deferred();
  #readableController!: ReadableStreamDefaultController<Uint8Array>;
  #writableController!: WritableStreamDefaultController;
  #reading: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #deliveries = 0;
  #readDone = false;
  #discards = false;
  #closing = false;
  #saidGoodbye = false;
  #error: TlsError | undefined;
  #ending = false;

  constructor(
    transport: Transport,
    options: StreamOptions,
    connect: (events: ConnectionEvents) => Connection,
  ) {
    this.#readAhead = options.readAhead ?? DEFAULT_READ_AHEAD;
    this.#handshakeTimeout = options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT;
    this.#signal = options.signal;
    this.#connection = connect({
      secure: () => this.#secure.resolve(),
      data: (bytes) => this.#deliver(bytes),
      end: () => this.#onEnd(),
      failed: (error) => this.#onFailed(error),
      wake: () => {
        this.#flush();
        this.#woken.resolve();
      },
    });
    this.#reader = transport.readable.getReader();
    this.#transport = new TransportWriter(transport.writable, (error) => this.#transportFailed(error));
    this.readable = this.#makeReadable();
    this.writable = this.#makeWritable();
    // Who does not ask for them must not be bothered.
    this.#over.promise.catch(() => {});
    this.#secure.promise.catch(() => {});
  }

  /** Runs the handshake. Rejects with the `TlsError` that ended it. */
  async handshake(): Promise<TlsStream> {
    const timer =
      this.#handshakeTimeout > 0
        ? setTimeout(() => this.#giveUp(handshakeTimeout(this.#handshakeTimeout)), this.#handshakeTimeout)
        : undefined;
    try {
      this.#signal?.addEventListener('abort', this.#onAbortSignal);
      if (this.#signal?.aborted) this.#onAbortSignal();
      else this.#runHandshake().catch((error) => this.#transportFailed(error));
      await this.#secure.promise;
      return this;
    } finally {
      clearTimeout(timer);
    }
  }

  get info(): ConnectionInfo {
    return this.#connection.info!;
  }

  get closed(): Promise<void> {
    return this.#over.promise;
  }

  updateKeys(options?: { requestPeer: boolean }): void {
    this.#connection.updateKeys(options);
    this.#flush();
  }

  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    return this.#connection.exportKeyingMaterial(length, label, context);
  }

  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#discards = true;
      this.#endReadable();
      await this.#finishWriting();
      await this.#drain();
    }
    return this.#over.promise;
  }

  abort(reason?: unknown): void {
    const because = reason instanceof Error ? `: ${reason.message}` : '';
    this.#giveUp(
      new TlsError('aborted', `the connection was aborted on this side${because}`, { cause: reason }),
    );
  }

  // Reading -----------------------------------------------------------------------------------------------------

  async #runHandshake(): Promise<void> {
    this.#connection.start();
    this.#flush();
    while (this.#connection.state === 'handshaking') {
      if (this.#connection.isBusy) {
        this.#woken = deferred();
        await this.#woken.promise;
      } else {
        await this.#read();
      }
    }
  }

  #makeReadable(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#readableController = controller;
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#readDone = true;
          this.#discards = true;
          this.#endIfOver();
        },
      },
      { highWaterMark: this.#readAhead, size: (chunk) => chunk.length },
    );
  }

  /** Reads from the transport until there is something for the application, which may be the end. */
  async #pull(): Promise<void> {
    await this.#secure.promise.catch(() => {});
    const before = this.#deliveries;
    while (this.#deliveries === before && !this.#readDone) await this.#read();
    this.#failReadable();
  }

  /** Reads once. Whoever comes meanwhile waits for the same. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    try {
      if (this.#transport.hasUnreadAnswers) await this.#transport.answersRead();
      const { done, value } = await this.#reader.read();
      if (done) this.#connection.receiveEnd();
      else this.#connection.receive(asBytes(value));
      this.#flush();
      if (done) this.#readDone = true;
    } catch (error) {
      this.#transportFailed(error);
    }
  }

  #deliver(bytes: Uint8Array): void {
    this.#deliveries++;
    if (!this.#discards) this.#readableController.enqueue(bytes);
  }

  #onEnd(): void {
    this.#readDone = true;
    this.#endReadable();
    this.#endIfOver();
  }

  #endReadable(): void {
    if (this.#readableController.desiredSize === null) return;
    try {
      this.#readableController.close();
    } catch {
      // Closed or cancelled already.
    }
  }

  /** An error would drop what waits in the queue, and that is genuine: it comes after it. */
  #failReadable(): void {
    if (this.#error === undefined || this.#discards) return;
    const room = this.#readableController.desiredSize;
    if (room !== null && room < this.#readAhead && this.#error.code !== 'aborted') return;
    this.#readableController.error(this.#error);
  }

  // Writing -----------------------------------------------------------------------------------------------------

  #makeWritable(): WritableStream<Uint8Array> {
    return new WritableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#writableController = controller;
          // The sink's own `abort` waits for the write that is under way, which may be what hangs.
          // Not in the same turn: Node's streams do not stand an error from inside their own `abort`.
          controller.signal.addEventListener('abort', () =>
            queueMicrotask(() => this.abort(controller.signal.reason)),
          );
        },
        write: (chunk) => {
          this.#writing = this.#write(chunk);
          return this.#writing;
        },
        close: async () => this.#sayGoodbye(),
      },
      { highWaterMark: WRITE_PART, size: (chunk) => chunk?.length ?? 1 },
    );
  }

  async #write(chunk: Uint8Array): Promise<void> {
    try {
      const bytes = asBytes(chunk);
      for (let at = 0; at < bytes.length; at += WRITE_PART) {
        await this.#transport.room();
        if (this.#error !== undefined) throw this.#error;
        // TLS 1.2 knows no half-close: the engine has answered the peer's close_notify with its own.
        if (this.#connection.isWriteClosed) throw closedByPeer();
        this.#connection.send(bytes.subarray(at, at + WRITE_PART));
        const sealed = this.#connection.takeOutgoing();
        if (sealed !== undefined) this.#transport.write(sealed);
      }
    } catch (error) {
      if (error instanceof TypeError) this.abort(error);
      throw this.#error ?? error;
    }
  }

  /** Writes to the transport what the engine says by itself. In the same turn as what made it, so that the order stays. */
  #flush(): void {
    const bytes = this.#connection.takeOutgoing();
    if (bytes !== undefined) this.#transport.writeAnswer(bytes);
  }

  #sayGoodbye(): void {
    this.#saidGoodbye = true;
    this.#connection.close();
    this.#flush();
    this.#endIfOver();
  }

  async #finishWriting(): Promise<void> {
    if (!this.writable.locked) return this.writable.close().catch(() => {});
    await this.#writing.catch(() => {});
    this.#sayGoodbye();
    this.#writableController.error(new TlsError('not-connected', 'the connection was closed on this side'));
  }

  // The end -----------------------------------------------------------------------------------------------------

  /** Drops what still comes until the peer's end: closing a socket on unread bytes could reset it under our last ones. */
  async #drain(): Promise<void> {
    const timer = setTimeout(() => this.#end(), CLOSE_GRACE);
    while (!this.#readDone && !this.#ending) await this.#read();
    clearTimeout(timer);
    this.#end();
  }

  #giveUp(error: TlsError): void {
    this.#connection.abort(error);
    this.#flush();
  }

  #transportFailed(error: unknown): void {
    if (this.#ending) return;
    const text = error instanceof Error ? error.message : String(error);
    this.#giveUp(
      error instanceof TypeError && error.cause === NOT_BYTES
        ? new TlsError('bad-option', text, { cause: error })
        : new TlsError('truncated', `the transport failed: ${text}`, { cause: error }),
    );
  }

  #onFailed(error: TlsError): void {
    if (this.#ending) return;
    this.#readDone = true;
    // The application wanted the end and all was sent: how the peer takes it does not matter any more.
    if (this.#closing && this.#saidGoodbye && error.code === 'truncated') {
      this.#end();
      return;
    }
    this.#error = error;
    this.#secure.reject(error);
    this.#writableController.error(error);
    this.#failReadable();
    // After the flush that follows every call into the connection, so that the alert goes first.
    queueMicrotask(() => this.#end());
  }

  #endIfOver(): void {
    if (this.#readDone && this.#connection.isWriteClosed) queueMicrotask(() => this.#end());
  }

  /** Closes the transport, and only then stops reading: where both are one socket, that destroys it. */
  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#readDone = true;
    this.#flush();
    // Both directions may be over without the peer's end, and the secrets are still there.
    this.#connection.abort();
    this.#signal?.removeEventListener('abort', this.#onAbortSignal);
    this.#transport.close(CLOSE_GRACE).then(() => {
      const rest = this.#error === undefined ? Promise.resolve() : dropRest(this.#reader, CLOSE_GRACE);
      rest.then(() => this.#reader.cancel(this.#error)).catch(() => {});
      if (this.#error === undefined) this.#over.resolve();
      else this.#over.reject(this.#error);
    });
  }
}

/** Marks the one TypeError that is ours. */
const NOT_BYTES = 'not bytes';

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  // From another realm, say a frame.
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError('a TLS stream carries bytes: give it a Uint8Array', { cause: NOT_BYTES });
}

function handshakeTimeout(milliseconds: number): TlsError {
  return new TlsError('handshake-timeout', `the handshake took more than ${milliseconds} milliseconds`);
}

function closedByPeer(): TlsError {
  return new TlsError('not-connected', 'the peer closed the connection, and TLS 1.2 has no half-close');
}
