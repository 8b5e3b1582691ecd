import { connect, createServer, type Server, type Socket } from 'node:net';
import { toHex } from '@testudo/codec';
import {
  type ClientConfig,
  type Connection,
  type ConnectionEvents,
  type ConnectionInfo,
  clientConnection,
  handshakeTypeName,
  type Observer,
  type ServerConfig,
  type Session,
  serverConnection,
  type TlsError,
} from '@testudo/tls';
import { cleanUp } from './clean-up.ts';

/**
 * Our engine on a TCP socket, with everything it saw written down: the smallest pump there can be, so that a test
 * meets the engine and nothing else.
 */
export class Link {
  readonly connection: Connection;
  /** `sent close_notify`, `received unknown_ca`. */
  readonly alerts: string[] = [];
  /** `sent client_hello`, in order, and `false start`. */
  readonly messages: string[] = [];
  /** `received application 1`: the epochs of keys. */
  readonly keys: string[] = [];
  /** Lines as in a key log file. */
  readonly secrets: string[] = [];
  /** Plaintext and wire lengths of records of application data that came. */
  readonly recordsReceived: { length: number; wireLength: number }[] = [];
  readonly sessions: Session[] = [];
  /** What held after each renegotiation, and each later authentication of the client. */
  readonly changes: ConnectionInfo[] = [];
  /** When the handshake is complete. */
  readonly secure: Promise<ConnectionInfo>;
  /** How it ended: undefined when both sides said so, otherwise the error. Never rejected. */
  readonly over: Promise<TlsError | undefined>;
  readonly #socket: Socket;
  #received = '';
  #listeners: (() => void)[] = [];
  #ended: TlsError | undefined | 'no' = 'no';

  constructor(
    socket: Socket,
    connectWith: (events: ConnectionEvents, observer: Observer) => Connection,
    options: { echo: boolean; early?: string | undefined },
  ) {
    this.#socket = socket;
    let onSecure!: (info: ConnectionInfo) => void;
    let onFailed!: (error: TlsError) => void;
    let onOver!: (error: TlsError | undefined) => void;
    this.secure = new Promise((resolve, reject) => {
      onSecure = resolve;
      onFailed = reject;
    });
    this.secure.catch(() => {});
    this.over = new Promise((resolve) => {
      onOver = resolve;
    });
    const finish = (error: TlsError | undefined): void => {
      if (this.#ended !== 'no') return;
      this.#ended = error;
      onOver(error);
      this.#tell();
    };
    this.connection = connectWith(
      {
        secure: onSecure,
        falseStart: () => {
          this.messages.push('false start');
          if (options.early !== undefined) this.connection.send(Buffer.from(options.early, 'latin1'));
        },
        data: (bytes) => {
          this.#received += Buffer.from(bytes).toString('latin1');
          if (options.echo && !this.connection.isWriteClosed) this.connection.send(bytes);
          this.#tell();
        },
        changed: (info) => {
          this.changes.push(info);
          this.#tell();
        },
        session: (session) => {
          this.sessions.push(session);
          this.#tell();
        },
        end: () => {
          this.connection.close();
          finish(undefined);
        },
        failed: (error) => {
          onFailed(error);
          finish(error);
        },
        wake: () => this.#flush(),
      },
      this.#observer(),
    );
    socket.setNoDelay();
    socket.on('data', (chunk) => this.do(() => this.connection.receive(chunk)));
    socket.on('end', () => this.do(() => this.connection.receiveEnd()));
    // A reset is an end, too: the engine says whether it was expected.
    socket.on('error', () => this.do(() => this.connection.receiveEnd()));
    this.do(() => this.connection.start());
  }

  /** Calls the engine, and writes what it then has to say. */
  do(action: () => void): void {
    action();
    this.#flush();
  }

  send(data: string): void {
    this.do(() => this.connection.send(Buffer.from(data, 'latin1')));
  }

  close(): void {
    this.do(() => this.connection.close());
  }

  /** Everything that came so far. */
  get received(): string {
    return this.#received;
  }

  /** Waits until what came contains `text`; rejects when the connection ends before. */
  async expect(text: string): Promise<void> {
    await this.until(() => this.#received.includes(text), JSON.stringify(text));
  }

  /** Waits for anything that this link can see. */
  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.#ended !== 'no')
        throw new Error(
          `the connection ended before ${what}; it received ${JSON.stringify(this.#received)}`,
          {
            cause: this.#ended,
          },
        );
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  #flush(): void {
    const bytes = this.connection.takeOutgoing();
    if (bytes !== undefined) this.#socket.write(bytes);
    const { state, isReadClosed, isWriteClosed } = this.connection;
    if (state === 'failed' || state === 'closed' || (isReadClosed && isWriteClosed)) this.#socket.end();
  }

  #tell(): void {
    for (const resolve of this.#listeners.splice(0)) resolve();
  }

  #observer(): Observer {
    return {
      message: (direction, { type }) => {
        this.messages.push(`${direction} ${handshakeTypeName(type)}`);
        this.#tell();
      },
      alert: (direction, _level, name) => {
        this.alerts.push(`${direction} ${name}`);
        this.#tell();
      },
      keys: (direction, epoch) => {
        this.keys.push(`${direction} ${epoch}`);
        this.#tell();
      },
      record: (direction, type, length, wireLength) => {
        if (direction === 'received' && type === 23) this.recordsReceived.push({ length, wireLength });
      },
      secret: (label, random, secret) => {
        this.secrets.push(`${label} ${toHex(random)} ${toHex(secret)}`);
      },
    };
  }
}

/** Connects our client. */
export function connectLink(
  port: number,
  config: ClientConfig,
  options: {
    host?: string;
    serverName?: string;
    session?: Session | undefined;
    /** Sent after a false start. */
    early?: string;
  } = {},
): Link {
  const socket = connect(port, '127.0.0.1');
  cleanUp(() => socket.destroy());
  const { host = 'localhost', early, ...rest } = options;
  return new Link(
    socket,
    (events, observer) => clientConnection(config, { host, ...rest, events, observer }),
    { echo: false, early },
  );
}

/** Our server; it echoes. */
export interface LinkServer {
  readonly port: number;
  /** The next connection, in the order in which they come. */
  next(): Promise<Link>;
}

export async function listenLinks(
  config: ServerConfig,
  options: { echo?: boolean } = {},
): Promise<LinkServer> {
  const ready: Link[] = [];
  const waiting: ((link: Link) => void)[] = [];
  const server: Server = createServer((socket) => {
    cleanUp(() => socket.destroy());
    const link = new Link(socket, (events, observer) => serverConnection(config, { events, observer }), {
      echo: options.echo ?? true,
    });
    const wanted = waiting.shift();
    if (wanted === undefined) ready.push(link);
    else wanted(link);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp(() => server.close());
  return {
    port: (server.address() as { port: number }).port,
    next: () => {
      const link = ready.shift();
      return link === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(link);
    },
  };
}
