/** How often, and the window in seconds. */
export interface RateTerms {
  readonly limit: number;
  readonly window: number;
}

/** So many times within so many seconds, and no more. */
export class RateLimit {
  readonly #terms: RateTerms;
  readonly #now: () => number;
  /** When it happened, the newest last; never more than may happen. */
  #times: number[] = [];

  /**
   * @param terms asked each time, so that they may change.
   * @param now milliseconds since 1970.
   */
  constructor(terms: RateTerms, now: () => number) {
    this.#terms = terms;
    this.#now = now;
  }

  /** Once more: true when that is within the limit. */
  take(): boolean {
    const now = this.#now();
    const { limit, window } = this.#terms;
    this.#times = this.#times.filter((time) => now - time < window * 1000);
    if (this.#times.length >= limit) return false;
    this.#times.push(now);
    return true;
  }
}
