import { BackendConnection } from './backend-connection.ts';

/** Connections that wait for another request; any more are closed. */
const MOST_FREE = 64;

/** Keeps connections to the server behind. The one that was used last is used first, so that those too many grow old. */
export class BackendPool {
  readonly #host: string;
  readonly #port: number;
  readonly #all: Set<BackendConnection> = new Set();
  readonly #free: BackendConnection[] = [];

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** One that waits, or a new one. */
  get(): BackendConnection {
    for (let kept = this.#free.pop(); kept !== undefined; kept = this.#free.pop()) {
      if (kept.isFree && performance.now() < kept.usableUntil) return kept;
      kept.destroy();
    }
    const connection = new BackendConnection(this.#host, this.#port, this.#forget);
    this.#all.add(connection);
    return connection;
  }

  /** Whoever had it needs it no more. */
  putBack(connection: BackendConnection): void {
    if (!connection.leave()) return;
    if (this.#free.length < MOST_FREE) this.#free.push(connection);
    else connection.destroy();
  }

  /** Ends all of them at once. */
  close(): void {
    for (const connection of this.#all) connection.destroy();
  }

  readonly #forget = (connection: BackendConnection): void => {
    this.#all.delete(connection);
    const at = this.#free.indexOf(connection);
    if (at >= 0) this.#free.splice(at, 1);
  };
}
