import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { TlsError } from '@testudo/tls';
import type { TLSSocket } from '@testudo/tls/node';
import { ACME_TLS_PROTOCOL } from '../acme/challenge-board.ts';
import { type Address, addressText } from '../config/address.ts';
import type { Limits } from '../config/plan.ts';
import { systemReason } from '../failure.ts';
import { ConnectionRecord } from '../observe/connection-record.ts';
import type { Log } from '../output/log.ts';
import { bindFailure } from './bind-failure.ts';
import type { Service } from './service.ts';
import type { TlsEndpoint } from './tls-endpoint.ts';
import { describeTlsFailure } from './tls-failure.ts';

export interface ListenerParts {
  readonly name: string;
  readonly address: Address;
  readonly endpoint: TlsEndpoint;
  readonly service: Service;
  readonly limits: Limits;
  readonly log: Log;
}

/** One address: TCP connections come in, TLS is ended here, and the service gets the plaintext. */
export class Listener {
  readonly #parts: ListenerParts;
  readonly #server: Server;
  readonly #open: Set<Socket> = new Set();
  #waiting: Socket[] | undefined = [];
  #lastDropNote = Number.NEGATIVE_INFINITY;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true });
    this.#server.maxConnections = parts.limits.connections;
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('drop', () => this.#dropped());
  }

  get name(): string {
    return this.#parts.name;
  }

  /** Where it listens in fact: the port is a real one, also when 0 was asked for. */
  get address(): Address {
    const { port } = this.#server.address() as AddressInfo;
    return { host: this.#parts.address.host, port };
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Takes the address; nothing is served before {@link serve}. Throws a `Failure` that says what to do. */
  bind(): Promise<void> {
    const { address, name } = this.#parts;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(bindFailure(error, address, name));
      this.#server.once('error', failed);
      this.#server.listen({ host: address.host, port: address.port }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) =>
          this.#parts.log.error({ reason: systemReason(error) }, 'cannot accept connections'),
        );
        resolve();
      });
    });
  }

  /** Serves those who wait already, and all who come. */
  serve(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const socket of waiting) this.#secure(socket);
  }

  /** Stops accepting, and lets open connections finish until `deadline` resolves; then ends them. */
  async drain(deadline: Promise<void>): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#parts.service.drain();
    await Promise.race([closed, deadline]);
    this.destroy();
    await closed;
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#server.close(() => undefined);
    for (const socket of this.#open) socket.destroy();
    this.#parts.service.close();
  }

  #accept(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    socket.on('error', () => undefined);
    if (this.#waiting === undefined) this.#secure(socket);
    else this.#waiting.push(socket);
  }

  #secure(raw: Socket): void {
    const { endpoint, service, limits, log } = this.#parts;
    const remote = addressText({ host: raw.remoteAddress, port: raw.remotePort ?? 0 });
    const record = new ConnectionRecord();
    raw.setTimeout(limits.idle);
    const tls: TLSSocket = endpoint.secure(raw, record);
    const timer = setTimeout(() => tls.destroy(handshakeTimeout(limits.handshake)), limits.handshake);
    tls.once('close', () => clearTimeout(timer));
    // Any byte either way counts, also of the handshake and of a slow reader.
    raw.once('timeout', () => tls.destroy());
    const failed = (error: Error): void => {
      const { level, details, text } = describeTlsFailure(error);
      log[level]({ remote, ...details }, text);
    };
    tls.once('error', failed);
    tls.once('secure', () => {
      clearTimeout(timer);
      tls.off('error', failed);
      tls.on('error', (error) =>
        log.debug({ remote, ...describeTlsFailure(error).details }, 'a connection broke'),
      );
      // A CA that has seen what it came for: no data follows (RFC 8737 §3).
      if (tls.alpnProtocol === ACME_TLS_PROTOCOL && endpoint.answersChallenges) {
        log.info({ remote, name: tls.servername }, 'a CA looks for the answer to tls-alpn-01');
        tls.end();
        tls.resume();
        return;
      }
      service.accept(tls, record);
    });
  }

  #dropped(): void {
    const now = performance.now();
    if (now - this.#lastDropNote < DROP_NOTE_INTERVAL) return;
    this.#lastDropNote = now;
    const { limits, log } = this.#parts;
    log.warn(
      { limit: limits.connections },
      'too many connections: new ones are closed at once; raise limits.connections if that is too few',
    );
  }
}

function handshakeTimeout(limit: number): TlsError {
  return new TlsError('handshake-timeout', `the client did not finish the handshake within ${limit} ms`);
}

/** Milliseconds between two notes about the same overload. */
const DROP_NOTE_INTERVAL = 10_000;
