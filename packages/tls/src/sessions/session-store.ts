import { toHex } from '@testudo/codec';
import { isFresh, type Session } from './session.ts';

/** Where a TLS 1.2 server keeps sessions by their ID; may be remote, so answers may come later. */
export interface SessionStore {
  get(id: Uint8Array): Session | undefined | Promise<Session | undefined>;
  set(id: Uint8Array, session: Session): void | Promise<void>;
  /** Forgets a session whose connection ended with a fatal alert. A store without it goes on offering such sessions. */
  delete?(id: Uint8Array): void | Promise<void>;
}

/** Sessions in memory: bounded, and gone when they are too old. The oldest goes first. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<string, Session>();
  readonly #capacity: number;
  readonly #now: () => number;

  /** @param options.capacity sessions that are kept. Default 10,000. */
  constructor(options: { capacity?: number; now?: () => number } = {}) {
    this.#capacity = options.capacity ?? 10_000;
    this.#now = options.now ?? Date.now;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(id: Uint8Array): Session | undefined {
    const key = toHex(id);
    const session = this.#sessions.get(key);
    if (session === undefined || isFresh(session, this.#now())) return session;
    this.#sessions.delete(key);
    return undefined;
  }

  delete(id: Uint8Array): void {
    this.#sessions.delete(toHex(id));
  }

  set(id: Uint8Array, session: Session): void {
    this.#sessions.set(toHex(id), session);
    if (this.#sessions.size <= this.#capacity) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      break;
    }
  }
}
