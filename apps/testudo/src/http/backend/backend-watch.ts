import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds that the server behind gets: see `LIMITS` in `config/limits.ts`. */
export interface BackendLimits {
  readonly connect: number;
  readonly firstByte: number;
  readonly pause: number;
}

/** The server behind was silent for longer than a limit allows. */
export class BackendSilent extends Error {
  readonly limit: keyof BackendLimits;

  constructor(limit: keyof BackendLimits) {
    super(`${REASONS[limit]} (limits.${limit})`);
    this.limit = limit;
  }
}

const REASONS: Readonly<Record<keyof BackendLimits, string>> = {
  connect: 'no connection in time',
  firstByte: 'no answer in time',
  pause: 'it stopped in the middle',
};

/** What is watched. */
export interface WatchedExchange {
  readonly socket: Socket | undefined;
  /** Whether the request has been written whole. */
  readonly isSent: boolean;
  destroy(error: BackendSilent): void;
}

export interface WatchOptions {
  readonly limits: BackendLimits;
  readonly request?: IncomingMessage | undefined;
  readonly response?: ServerResponse | undefined;
}

/** Counts how long the server behind is silent while it, and not the client, is the one that is waited for. */
export class BackendWatch {
  readonly #exchange: WatchedExchange;
  readonly #options: WatchOptions;
  #isConnecting: boolean;
  #isAnswered = false;
  #isOver = false;
  #hasContinued = false;
  #movedAt = performance.now();
  #written: number;
  #timer: NodeJS.Timeout;

  /** Ends the exchange with a {@link BackendSilent} when a limit is over. */
  constructor(exchange: WatchedExchange, options: WatchOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#isConnecting = exchange.socket?.connecting ?? false;
    this.#written = this.#handedOver();
    this.#timer = setTimeout(look, this.#isConnecting ? options.limits.connect : this.#step, this);
  }

  /** Whether the client waits for the server behind; not when it still has to send, or to read. */
  get isWaitedFor(): boolean {
    return !this.#isOver && !this.#isClientWaitedFor();
  }

  /** Something came or went. */
  moved(): void {
    this.#movedAt = performance.now();
  }

  connected(): void {
    if (!this.#isConnecting || this.#isOver) return;
    this.#isConnecting = false;
    clearTimeout(this.#timer);
    this.moved();
    this.#timer = setTimeout(look, this.#step, this);
  }

  /** A 1xx has come: a client that waits for one may send. */
  informed(): void {
    this.#hasContinued = true;
    this.moved();
  }

  /** The answer has begun. */
  answered(): void {
    this.#isAnswered = true;
    this.moved();
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** `again`: all that had come has been seen. */
  look(again: boolean = false): void {
    if (this.#isOver) return;
    if (this.#isConnecting) {
      this.#exchange.destroy(new BackendSilent('connect'));
      return;
    }
    const { limits } = this.#options;
    const written = this.#handedOver();
    if (written !== this.#written || this.#isClientWaitedFor()) this.moved();
    this.#written = written;
    const limit = this.#limit();
    const left = limits[limit] - (performance.now() - this.#movedAt);
    if (left <= 0 && again) this.#exchange.destroy(new BackendSilent(limit));
    // Where this process was late itself, bytes may lie there unread.
    else if (left <= 0) setImmediate(look, this, true);
    else this.#timer = setTimeout(look, Math.min(left, this.#step), this);
  }

  get #step(): number {
    const { firstByte, pause } = this.#options.limits;
    return Math.min(firstByte, pause);
  }

  /** What has been handed to the system for the server behind, in bytes. */
  #handedOver(): number {
    const { socket } = this.#exchange;
    return socket === undefined ? 0 : socket.bytesWritten - socket.writableLength;
  }

  /** Which silence it is: before the answer, or in the middle of something. */
  #limit(): 'firstByte' | 'pause' {
    const takesNone = (this.#exchange.socket?.writableLength ?? 0) > 0;
    return this.#isAnswered || takesNone ? 'pause' : 'firstByte';
  }

  #isClientWaitedFor(): boolean {
    const { request, response } = this.#options;
    if (this.#isAnswered && response?.writableNeedDrain) return true;
    if (request === undefined || request.readableEnded || this.#exchange.isSent) return false;
    // A body that waits for a 100 is not late (RFC 9110 §10.1.1).
    const isAsking = request.headers.expect !== undefined && !this.#hasContinued && !request.readableDidRead;
    return !isAsking && !this.#exchange.socket?.writableNeedDrain;
  }
}

function look(watch: BackendWatch, again?: boolean): void {
  watch.look(again);
}
