import { toHex } from '@testudo/codec';

/**
 * Remembers which first flights with early data came already (RFC 9846 §8.2): each may come once. Servers that share
 * ticket keys must share the guard, too, or a flight can be replayed to each of them.
 */
export interface ReplayGuard {
  /**
   * True the first time that it is asked about `id`, false every other time until `expiresAt` (milliseconds since
   * 1970); false also when it does not know. May answer later.
   */
  admit(id: Uint8Array, expiresAt: number): boolean | Promise<boolean>;
}

/** In the memory of one process. When it is full it admits nothing: early data is then refused, not replayed. */
export class MemoryReplayGuard implements ReplayGuard {
  readonly #seen = new Map<string, number>();
  readonly #capacity: number;
  readonly #now: () => number;

  /**
   * @param options.capacity flights that are remembered. Default 100,000.
   * @param options.now milliseconds since 1970. Default `Date.now`.
   */
  constructor(options: { capacity?: number; now?: () => number } = {}) {
    this.#capacity = options.capacity ?? 100_000;
    this.#now = options.now ?? Date.now;
  }

  get size(): number {
    return this.#seen.size;
  }

  admit(id: Uint8Array, expiresAt: number): boolean {
    this.#dropExpired();
    const key = toHex(id);
    if (this.#seen.has(key) || this.#seen.size >= this.#capacity) return false;
    this.#seen.set(key, expiresAt);
    return true;
  }

  /** They expire about in the order in which they came. */
  #dropExpired(): void {
    const now = this.#now();
    for (const [key, expiresAt] of this.#seen) {
      if (expiresAt > now) return;
      this.#seen.delete(key);
    }
  }
}
