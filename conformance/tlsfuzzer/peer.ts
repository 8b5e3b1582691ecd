import { createServer, type Server, type Socket } from 'node:net';
import { type Connection, type ServerOptions, serverConfig, serverConnection } from '@testudo/tls';

/**
 * What the server does with what comes: an HTTP answer to each request, one answer and its end, or the same bytes back. The
 * second is for scripts whose last word is an alert of level 0: who still reads has to refuse it (RFC 5246 §7.2), and to forget the session.
 */
export type Manner = 'http' | 'one answer' | 'echo';

/**
 * A request for such a path is answered when the client has been asked for its certificate: after the handshake (TLS 1.3), or in
 * another one. For the secret it must have one.
 */
const SECURE = /^GET \/sec(ret|ure)/;
const SECRET = 'GET /secret';
const BODY = 'Hello, tlsfuzzer.\r\n';
const ANSWER = `HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** A server of the engine on a port of its own: a plain pump around it, with no door in between. */
export async function listen(
  options: ServerOptions,
  manner: Manner,
): Promise<{ port: number; server: Server }> {
  const config = serverConfig(options);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    new Peer(socket, manner, (events) => serverConnection(config, { events })).run();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, server };
}

type Events = Parameters<typeof serverConnection>[1]['events'];

class Peer {
  readonly #socket: Socket;
  readonly #manner: Manner;
  readonly #connection: Connection;
  /** What the engine reported, for when it is off the stack. */
  readonly #reports: (() => void)[] = [];
  #request = '';
  #waits = false;
  #isDone = false;

  constructor(socket: Socket, manner: Manner, connect: (events: Events) => Connection) {
    this.#socket = socket;
    this.#manner = manner;
    const later = (report: () => void) => void this.#reports.push(report);
    this.#connection = connect({
      data: (bytes) => later(() => this.#receive(bytes)),
      changed: () => later(() => this.#answerWaiting()),
      end: () => later(() => this.#connection.close()),
      wake: () => this.#work(() => {}),
    });
  }

  run(): void {
    this.#socket.on('data', (chunk) => {
      if (!this.#isDone) this.#work(() => this.#connection.receive(chunk));
    });
    this.#socket.on('end', () => this.#work(() => this.#connection.receiveEnd()));
    this.#socket.on('error', () => this.#socket.destroy());
  }

  #work(call: () => void): void {
    call();
    for (let report = this.#reports.shift(); report !== undefined; report = this.#reports.shift()) report();
    const bytes = this.#connection.takeOutgoing();
    if (bytes !== undefined && this.#socket.writable) this.#socket.write(bytes);
    const { state, isReadClosed, isWriteClosed } = this.#connection;
    // What still comes is read and dropped until the peer has seen why it is over: a reset would take the alert with it.
    if (state === 'failed' || (isReadClosed && isWriteClosed)) this.#socket.end();
    if (this.#isDone || this.#socket.readableEnded) this.#socket.end();
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#connection.maySend) return;
    if (this.#manner === 'echo') {
      this.#connection.send(bytes.slice());
      return;
    }
    this.#request += Buffer.from(bytes).toString('latin1');
    if (this.#waits || !/\r?\n\r?\n/.test(this.#request)) return;
    if (SECURE.test(this.#request)) this.#ask();
    else this.#answer();
  }

  #ask(): void {
    this.#waits = true;
    this.#connection.requestClientCertificate({ required: this.#request.startsWith(SECRET) });
  }

  #answerWaiting(): void {
    if (this.#waits) this.#answer();
  }

  #answer(): void {
    this.#waits = false;
    this.#request = '';
    if (this.#connection.maySend) this.#connection.send(Buffer.from(ANSWER));
    if (this.#manner !== 'one answer') return;
    this.#connection.close();
    this.#isDone = true;
  }
}
