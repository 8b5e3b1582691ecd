import { connect as connectTcp, type Socket } from 'node:net';
import {
  type ClientConfig,
  type Connection,
  type ConnectionInfo,
  clientConnection,
  type Observer,
  type Session,
  TlsError,
} from '@testudo/tls';
import { addressText } from '../config/address.ts';
import { EXIT, Failure, systemReason } from '../failure.ts';

/** Opens a TCP connection; resolves with it and the milliseconds it took. Throws a `Failure` with exit code 3. */
export function openTcp(
  host: string,
  port: number,
  timeout: number,
): Promise<{ socket: Socket; took: number }> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, noDelay: true, allowHalfOpen: true });
    const where = addressText({ host, port });
    const failed = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Failure(`cannot connect to ${where}: ${reason}`, EXIT.unreachable, cause));
    };
    const timer = setTimeout(
      () => failed(`no answer within ${timeout / 1000} s; is there a firewall in between?`),
      timeout,
    );
    socket.once('error', (error) => failed(reasonOf(error), error));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve({ socket, took: performance.now() - startedAt });
    });
  });
}

/** Several addresses were tried: the first one's failure says enough. */
function reasonOf(error: unknown): string {
  return systemReason(error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error);
}

export interface WireOptions {
  readonly host: string;
  /** Empty for no SNI. Default: the host, when it is a name. */
  readonly serverName: string | undefined;
  readonly session: Session | undefined;
  /** To send before the server has answered, or after the handshake where that cannot be. */
  readonly earlyData?: Uint8Array | undefined;
  readonly observer: Observer | undefined;
}

/** What became of data that was to be sent early. `late`: it went after the handshake. */
export type EarlyDataFate = 'accepted' | 'late' | null;

/** A client's connection of the engine over a TCP socket. */
export class Wire {
  readonly connection: Connection;
  readonly #socket: Socket;
  readonly #secured: Promise<ConnectionInfo>;
  #secure: (info: ConnectionInfo) => void = () => undefined;
  #refuse: (error: Error) => void = () => undefined;
  #received: Uint8Array[] = [];
  #failure: TlsError | undefined;
  #ended = false;
  readonly #earlyData: Uint8Array | undefined;
  #sentEarly = false;
  #earlyDataFate: EarlyDataFate = null;
  /** Told of whatever comes, and of the end: called again when it is set. */
  #listener: (() => void) | undefined;
  /** The newest session that can be resumed. */
  session: Session | undefined;

  constructor(socket: Socket, config: ClientConfig, options: WireOptions) {
    this.#socket = socket;
    this.#secured = new Promise((resolve, reject) => {
      this.#secure = resolve;
      this.#refuse = reject;
    });
    // A failure after the handshake has no one waiting for it.
    this.#secured.catch(() => undefined);
    this.#earlyData = options.earlyData;
    this.connection = clientConnection(config, {
      ...options,
      earlyData: options.earlyData !== undefined,
      events: {
        secure: (info) => this.#secure(info),
        data: (bytes) => this.#received.push(bytes),
        session: (session) => {
          this.session = session;
        },
        end: () => {
          this.#ended = true;
        },
        failed: (error) => this.#fail(error),
        wake: () => this.#flush(),
      },
    });
    socket.on('data', (chunk) => {
      this.connection.receive(chunk);
      this.#flush();
    });
    socket.on('end', () => {
      this.connection.receiveEnd();
      this.#flush();
    });
    socket.on('error', (error) => {
      this.#fail(new TlsError('truncated', systemReason(error), { cause: error }));
      this.#flush();
    });
  }

  /** Runs the handshake. Throws the engine's `TlsError`; `handshake-timeout` after `timeout` milliseconds. */
  async handshake(timeout: number): Promise<ConnectionInfo> {
    const timer = setTimeout(() => {
      this.connection.abort(
        new TlsError(
          'handshake-timeout',
          `the server did not finish the handshake within ${timeout / 1000} s`,
        ),
      );
      this.#flush();
    }, timeout);
    try {
      this.connection.start();
      this.#sendEarly();
      this.#flush();
      const info = await this.#secured;
      this.#sendLate(info);
      return info;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Null when there was none, and before the handshake is complete. */
  get earlyData(): EarlyDataFate {
    return this.#earlyDataFate;
  }

  #sendEarly(): void {
    const data = this.#earlyData;
    if (data === undefined || data.length === 0 || data.length > this.connection.earlyDataLeft) return;
    this.connection.sendEarlyData(data);
    this.#sentEarly = true;
  }

  /** What the server did not take early has not arrived at all. */
  #sendLate({ earlyData }: ConnectionInfo): void {
    if (this.#earlyData === undefined) return;
    const hasArrived = this.#sentEarly && earlyData === 'accepted';
    this.#earlyDataFate = hasArrived ? 'accepted' : 'late';
    if (!hasArrived) this.send(this.#earlyData);
  }

  /** Sends application data; false when the socket wants a pause until {@link onceDrained}. */
  send(data: Uint8Array): boolean {
    this.connection.send(data);
    this.#flush();
    return !this.#socket.writableNeedDrain;
  }

  onceDrained(then: () => void): void {
    this.#socket.once('drain', then);
  }

  /** What came since the last call. */
  take(): Uint8Array[] {
    const received = this.#received;
    this.#received = [];
    return received;
  }

  /** Nothing more comes: close_notify, or a failure. */
  get isOver(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  get failure(): TlsError | undefined {
    return this.#failure;
  }

  /** Called after each thing that comes, and once now. */
  listen(listener: () => void): void {
    this.#listener = listener;
    listener();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends what we send. */
  close(): void {
    this.connection.close();
    this.#flush();
  }

  /** Lets go of the socket, after what still has to leave. */
  destroy(): void {
    this.#listener = undefined;
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), 1000).unref();
  }

  #flush(): void {
    const out = this.connection.takeOutgoing();
    if (out !== undefined && this.#socket.writable) this.#socket.write(out);
    this.#listener?.();
  }

  #fail(error: TlsError): void {
    this.#failure ??= error;
    this.#refuse(error);
  }
}
