import { concat, toHex, utf8 } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import type { Session } from './session.ts';

/** What it takes to know a session again, wherever it is kept. */
export type EndedSession = Pick<Session, 'secret' | 'createdAt' | 'lifetime'>;

/**
 * Sessions whose connection ended with a fatal alert: they must not be resumed (RFC 5246 §7.2.2, RFC 9846 §6). A session
 * goes by the hash of its secret, which is the same in a ticket, in a store, and at the client. Each is remembered until it
 * is too old anyway; when there are too many, the oldest is forgotten.
 */
export class AbandonedSessions {
  /** When each can be forgotten, milliseconds since 1970. */
  readonly #until = new Map<string, number>();
  readonly #capacity: number;
  readonly #now: () => number;

  /**
   * @param options.capacity sessions that are remembered. Default 10,000.
   * @param options.now milliseconds since 1970. Default `Date.now`.
   */
  constructor(options: { capacity?: number; now?: () => number } = {}) {
    this.#capacity = options.capacity ?? 10_000;
    this.#now = options.now ?? Date.now;
  }

  get size(): number {
    return this.#until.size;
  }

  add(provider: CryptoProvider, session: EndedSession): void {
    if (this.#until.size >= this.#capacity) this.#makeRoom();
    this.#until.set(sessionMark(provider, session), session.createdAt + session.lifetime * 1000);
  }

  /** Costs a hash, unless there is none at all. */
  has(provider: CryptoProvider, session: EndedSession): boolean {
    return this.#until.size > 0 && this.#until.has(sessionMark(provider, session));
  }

  /** Forgets them all. */
  clear(): void {
    this.#until.clear();
  }

  #makeRoom(): void {
    const now = this.#now();
    for (const [mark, until] of this.#until) if (until <= now) this.#until.delete(mark);
    if (this.#until.size < this.#capacity) return;
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest);
      return;
    }
  }
}

const LABEL = utf8('testudo session');

/** Names a session without telling its secret. */
function sessionMark(provider: CryptoProvider, { secret }: EndedSession): string {
  return toHex(provider.digest('sha256', concat(LABEL, secret)).subarray(0, 16));
}

/** Those of all clients in this process. */
export const abandonedByClients: AbandonedSessions = new AbandonedSessions();
