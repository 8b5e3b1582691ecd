import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MOST_WAITING } from '../../listeners/passage.ts';
import type { ForwardedRequest } from '../proxy-request.ts';
import type { AnswerHead } from './answer-parser.ts';
import type { BackendConnection, ConnectionUser } from './backend-connection.ts';
import type { BackendPool } from './backend-pool.ts';
import { type BackendLimits, BackendWatch } from './backend-watch.ts';
import { InformationBudget } from './information.ts';

/** Gets what the server behind says to one request. Nothing comes after {@link BackendExchange.destroy}. */
export interface ExchangeOwner {
  /** A 1xx other than 101. */
  onInformation(head: AnswerHead): void;
  onAnswer(head: AnswerHead): void;
  onBody(chunk: Buffer): void;
  /** The answer is whole. */
  onEnd(trailers: readonly string[]): void;
  /** All that one read has brought was handed over. */
  onReadOver(): void;
  /** More of the request can be written. */
  onDrain(): void;
  /** A 101 has come: the socket is paused, and the owner's. */
  onSwitch(head: AnswerHead, rest: Buffer, socket: Socket): void;
  /** No answer will come, or no more of it. */
  onError(error: Error): void;
}

export interface ExchangeOptions {
  readonly pool: BackendPool;
  readonly forwarded: ForwardedRequest;
  readonly limits: BackendLimits;
  /** What is passed on, and where the answer goes to. Without both (for an upgrade) nothing is waited for but the server. */
  readonly request?: IncomingMessage | undefined;
  readonly response?: ServerResponse | undefined;
}

/** One request to the server behind and its answer, on a connection that is kept when both are whole. */
export class BackendExchange implements ConnectionUser {
  /** Whether the server could have closed the connection before it saw the request. */
  readonly isReused: boolean;
  readonly #owner: ExchangeOwner;
  readonly #pool: BackendPool;
  readonly #isChunked: boolean;
  readonly #watch: BackendWatch;
  readonly #informations = new InformationBudget();
  #connection: BackendConnection | undefined;
  #isSent = false;
  #isAnswered = false;

  constructor(owner: ExchangeOwner, options: ExchangeOptions) {
    const { pool, forwarded } = options;
    this.#owner = owner;
    this.#pool = pool;
    this.#isChunked = forwarded.isChunked;
    const connection = pool.get();
    this.#connection = connection;
    this.isReused = connection.uses > 0;
    connection.take(this, forwarded.method === 'HEAD');
    this.#watch = new BackendWatch(this, options);
    connection.socket.write(forwarded.head, 'latin1');
  }

  /** Whether nothing more comes of it. */
  get isOver(): boolean {
    return this.#connection === undefined;
  }

  /** Whether the request has been written whole. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** The connection, as long as it is this one's. */
  get socket(): Socket | undefined {
    return this.#connection?.socket;
  }

  /** Whether the client waits for the server behind; not when it still has to send, or to read. */
  get isWaitedFor(): boolean {
    return this.#watch.isWaitedFor;
  }

  /** Writes a part of the body. False: wait for `onDrain`. */
  write(chunk: Buffer): boolean {
    const { socket } = this;
    if (socket === undefined) return true;
    // What comes in one read leaves in one write.
    if (!socket.writableCorked) {
      socket.cork();
      process.nextTick(uncork, socket);
    }
    // An empty chunk would be the last (RFC 9112 §7.1).
    const isChunk = this.#isChunked && chunk.length > 0;
    if (isChunk) socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    if (isChunk) socket.write('\r\n', 'latin1');
    return socket.writableLength <= MOST_WAITING;
  }

  /** The request is whole. `trailers`: the fields behind a body in chunks, a line each. */
  end(trailers = ''): void {
    if (this.#isChunked) this.socket?.write(`0\r\n${trailers}\r\n`, 'latin1');
    this.#isSent = true;
    this.#watch.moved();
  }

  /** Stops reading the answer, and goes on with it. */
  pause(): void {
    this.socket?.pause();
  }

  resume(): void {
    if (this.#connection === undefined) return;
    this.#watch.moved();
    this.socket?.resume();
  }

  /** Gives it up, with its connection. The owner hears of it where there is an error. */
  destroy(error?: Error): void {
    if (this.#connection === undefined) return;
    const connection = this.#connection;
    this.#over();
    connection.destroy();
    if (error !== undefined) this.#owner.onError(error);
  }

  onConnect(): void {
    this.#watch.connected();
  }

  onInformation(head: AnswerHead): void {
    const flood = this.#informations.take(head);
    if (flood !== undefined) this.destroy(flood);
    else {
      this.#watch.informed();
      this.#owner.onInformation(head);
    }
  }

  onHead(head: AnswerHead): void {
    this.#watch.answered();
    this.#noteExpiry(head);
    this.#owner.onAnswer(head);
  }

  onBody(chunk: Buffer): void {
    this.#watch.moved();
    this.#owner.onBody(chunk);
  }

  onEnd(trailers: readonly string[]): void {
    this.#isAnswered = true;
    this.#watch.stop();
    this.#owner.onEnd(trailers);
  }

  onReadOver(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!this.#isAnswered) {
      this.#owner.onReadOver();
      return;
    }
    this.#over();
    // A server that has answered before it had all of the request may take what is missing for the next one.
    if (this.#isSent) this.#pool.putBack(connection);
    else connection.destroy();
  }

  onDrain(): void {
    this.#watch.moved();
    this.#owner.onDrain();
  }

  onSwitch(head: AnswerHead, rest: Buffer, socket: Socket): void {
    this.#over();
    this.#owner.onSwitch(head, rest, socket);
  }

  onLost(error: Error): void {
    if (this.#connection === undefined) return;
    this.#over();
    if (!this.#isAnswered) this.#owner.onError(error);
  }

  #over(): void {
    this.#connection = undefined;
    this.#watch.stop();
  }

  /** A server that says how long it keeps a connection is believed: a request that comes too late would get lost. */
  #noteExpiry({ rawHeaders }: AnswerHead): void {
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      if (rawHeaders[i]!.length !== KEEP_ALIVE.length || rawHeaders[i]!.toLowerCase() !== KEEP_ALIVE)
        continue;
      const seconds = /(?:^|[,\s])timeout=(\d{1,9})/i.exec(rawHeaders[i + 1]!)?.[1];
      if (seconds === undefined || this.#connection === undefined) continue;
      this.#connection.usableUntil = performance.now() + Number(seconds) * 1000 - MARGIN;
    }
  }
}

function uncork(socket: Socket): void {
  socket.uncork();
}

const KEEP_ALIVE = 'keep-alive';
/** Milliseconds for which a request is under way. */
const MARGIN = 1_000;
