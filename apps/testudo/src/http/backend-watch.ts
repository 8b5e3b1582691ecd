import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';

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

export interface Watched {
  readonly outgoing: ClientRequest;
  readonly limits: BackendLimits;
  /** What is passed on, and where the answer goes to. Without both (for an upgrade) nothing is waited for but the server. */
  readonly request?: IncomingMessage | undefined;
  readonly response?: ServerResponse | undefined;
}

/** Counts how long the server behind is silent while it, and not the client, is the one that is waited for. */
export class BackendWatch {
  readonly #watched: Watched;
  #answer: IncomingMessage | undefined;
  #hasContinued = false;
  #movedAt = performance.now();
  #written = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Ends the request with a {@link BackendSilent} when a limit is over. */
  constructor(watched: Watched) {
    this.#watched = watched;
    const { outgoing, request, response, limits } = watched;
    const moved = (): void => this.#moved();
    const connecting = setTimeout(() => outgoing.destroy(new BackendSilent('connect')), limits.connect);
    const connected = (): void => {
      clearTimeout(connecting);
      this.#moved();
      this.#timer ??= setTimeout(() => this.#look(), this.#step);
    };
    outgoing.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', connected);
      else connected();
    });
    outgoing.on('drain', moved).on('finish', moved);
    outgoing.on('information', () => {
      this.#hasContinued = true;
      this.#moved();
    });
    outgoing.once('response', (answer) => {
      this.#answer = answer;
      this.#moved();
      answer.on('data', moved);
      answer.once('end', () => this.#stop());
    });
    // A listener for data would make it flow; what comes is seen where it is written.
    request?.on('end', moved).on('resume', moved);
    response?.on('drain', moved);
    outgoing.once('upgrade', () => this.#stop());
    outgoing.once('close', () => {
      clearTimeout(connecting);
      this.#stop();
    });
  }

  /** Whether the client waits for the server behind; not when it still has to send, or to read. */
  get isWaitedFor(): boolean {
    return !this.#watched.outgoing.closed && !this.#isClientWaitedFor();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #moved(): void {
    this.#movedAt = performance.now();
  }

  get #step(): number {
    const { firstByte, pause } = this.#watched.limits;
    return Math.min(firstByte, pause);
  }

  /** What has been handed to the system for the server behind, in bytes. */
  #handedOver(): number {
    const { socket } = this.#watched.outgoing;
    return socket === null || socket === undefined ? 0 : socket.bytesWritten - socket.writableLength;
  }

  /** `again`: all that had come has been seen. */
  #look(again: boolean = false): void {
    if (this.#timer === undefined) return;
    const written = this.#handedOver();
    if (written !== this.#written || this.#isClientWaitedFor()) this.#moved();
    this.#written = written;
    const limit = this.#limit();
    const left = this.#watched.limits[limit] - (performance.now() - this.#movedAt);
    if (left <= 0 && again) this.#watched.outgoing.destroy(new BackendSilent(limit));
    // Where this process was late itself, bytes may lie there unread.
    else if (left <= 0) setImmediate(() => this.#look(true));
    else this.#timer = setTimeout(() => this.#look(), Math.min(left, this.#step));
  }

  /** Which silence it is: before the answer, or in the middle of something. */
  #limit(): 'firstByte' | 'pause' {
    const { outgoing } = this.#watched;
    const takesNone = (outgoing.socket?.writableLength ?? 0) > 0;
    return this.#answer !== undefined || takesNone ? 'pause' : 'firstByte';
  }

  #isClientWaitedFor(): boolean {
    const { outgoing, request, response } = this.#watched;
    if (this.#answer !== undefined && response?.writableNeedDrain) return true;
    if (request === undefined || request.readableEnded || outgoing.writableEnded) return false;
    // A body that waits for a 100 is not late (RFC 9110 §10.1.1).
    const isAsking = request.headers.expect !== undefined && !this.#hasContinued && !request.readableDidRead;
    return !isAsking && !outgoing.writableNeedDrain;
  }
}
