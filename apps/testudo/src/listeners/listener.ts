import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../config/address.ts';
import { systemReason } from '../failure.ts';
import { bindFailure } from './bind-failure.ts';
import { FailureLog } from './failure-log.ts';
import { type ListenerSettings, OpenConnection } from './open-connection.ts';
import { EXHAUSTED, OpenFilesWatch } from './open-files.ts';

/** One address: TCP connections come in, TLS is ended here, and the service gets the plaintext. */
export class Listener {
  readonly #asked: Address;
  readonly #server: Server;
  readonly #open: Map<Socket, OpenConnection> = new Map();
  #settings: ListenerSettings;
  #waiting: Socket[] | undefined = [];
  readonly #failures: FailureLog;
  /** When each kind of overload was noted last, and how often it was seen since. */
  readonly #noted: Map<string, { readonly at: number; count: number }> = new Map();
  readonly #openFiles: OpenFilesWatch = new OpenFilesWatch(() => this.#overloaded({}, EXHAUSTED));

  constructor(address: Address, settings: ListenerSettings) {
    this.#asked = address;
    this.#settings = settings;
    this.#failures = new FailureLog(() => this.#settings.log);
    this.#server = createServer({
      noDelay: true,
      allowHalfOpen: true,
      pauseOnConnect: true,
      // Whoever vanishes is found out long before a connection counts as idle.
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    this.#server.maxConnections = settings.limits.connections;
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('drop', () => this.#dropped());
  }

  get name(): string {
    return this.#settings.name;
  }

  /** What new connections get. */
  get settings(): ListenerSettings {
    return this.#settings;
  }

  /** Where it listens in fact: the port is a real one, also when 0 was asked for. */
  get address(): Address {
    const { port } = this.#server.address() as AddressInfo;
    return { host: this.#asked.host, port };
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Takes the address; nothing is served before {@link serve}. Throws a `Failure` that says what to do. */
  bind(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void =>
        reject(bindFailure(error, this.#asked, this.name));
      this.#server.once('error', failed);
      this.#server.listen({ host: this.#asked.host, port: this.#asked.port }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) =>
          this.#overloaded({ reason: systemReason(error) }, 'cannot accept connections'),
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

  /** Other settings for the connections that come from now on. The address is not let go for a moment. */
  change(settings: ListenerSettings): void {
    const old = this.#settings;
    this.#settings = settings;
    this.#server.maxConnections = settings.limits.connections;
    this.#retire(old);
  }

  /** Stops accepting, and lets open connections finish until `deadline` resolves; then ends them. */
  async drain(deadline: Promise<void>): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const services = new Set([this.#settings, ...[...this.#open.values()].map(({ settings }) => settings)]);
    for (const { service } of services) service.drain();
    await Promise.race([closed, deadline]);
    this.#endAll();
    await closed;
    this.#failures.flush();
    this.#settings.service.close();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#server.close(() => undefined);
    this.#endAll(0);
    this.#failures.flush();
    this.#settings.service.close();
  }

  #endAll(grace?: number): void {
    for (const socket of this.#waiting ?? []) socket.destroy();
    for (const connection of this.#open.values()) connection.end(grace);
  }

  /** A service that gets no connection any more ends with its last one. */
  #retire({ service }: ListenerSettings): void {
    if (service === this.#settings.service) return;
    if (![...this.#open.values()].some(({ settings }) => settings.service === service)) service.close();
  }

  #accept(socket: Socket): void {
    this.#openFiles.accepted(socket);
    socket.on('error', ignore);
    if (this.#waiting === undefined) this.#secure(socket);
    else this.#waiting.push(socket);
  }

  #secure(raw: Socket): void {
    const settings = this.#settings;
    raw.on('close', () => {
      this.#open.delete(raw);
      this.#retire(settings);
    });
    this.#open.set(raw, new OpenConnection(raw, settings, this.#failures));
  }

  #dropped(): void {
    this.#overloaded(
      { limit: this.#settings.limits.connections },
      'too many connections: new ones are closed at once; raise limits.connections if that is too few',
    );
  }

  #overloaded(details: object, text: string): void {
    const now = performance.now();
    const last = this.#noted.get(text);
    if (last !== undefined && now - last.at < OVERLOAD_NOTE_INTERVAL) {
      last.count++;
      return;
    }
    this.#noted.set(text, { at: now, count: 0 });
    const more = last === undefined || last.count === 0 ? {} : { count: last.count };
    this.#settings.log.warn({ ...details, ...more }, text);
  }
}

/** Whoever has the connection hears of it, too. */
function ignore(): void {}

/** Milliseconds between two notes about the same overload; the later one counts what was seen since the one before. */
const OVERLOAD_NOTE_INTERVAL = 60_000;
