/** So many times within so many seconds, and no more. */
export class RateLimit {
  readonly #most: number;
  readonly #window: number;
  readonly #now: () => number;
  /** When it happened, the newest last; never more than may happen. */
  #times: number[] = [];

  /**
   * @param window seconds.
   * @param now milliseconds since 1970.
   */
  constructor(most: number, window: number, now: () => number) {
    this.#most = most;
    this.#window = window * 1000;
    this.#now = now;
  }

  /** Once more: true when that is within the limit. */
  take(): boolean {
    const now = this.#now();
    this.#times = this.#times.filter((time) => now - time < this.#window);
    if (this.#times.length >= this.#most) return false;
    this.#times.push(now);
    return true;
  }
}
