/** A map whose entries end, and of which the least recently used ones leave when it is full. Times are milliseconds. */
export class ExpiringCache<T> {
  readonly #entries: Map<string, { readonly value: T; readonly until: number; readonly size: number }> =
    new Map();
  readonly #maximumEntries: number;
  readonly #maximumSize: number;
  #size = 0;

  /** @param maximumSize the sum of the entries' sizes; one that is larger alone is not kept. */
  constructor(maximumEntries: number, maximumSize: number = Number.POSITIVE_INFINITY) {
    this.#maximumEntries = maximumEntries;
    this.#maximumSize = maximumSize;
  }

  get length(): number {
    return this.#entries.size;
  }

  get(key: string, now: number): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#remove(key);
    if (entry.until <= now) return undefined;
    this.#entries.set(key, entry);
    this.#size += entry.size;
    return entry.value;
  }

  set(key: string, value: T, until: number, size = 1): void {
    this.#remove(key);
    if (size > this.#maximumSize) return;
    this.#entries.set(key, { value, until, size });
    this.#size += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maximumEntries && this.#size <= this.#maximumSize) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#size -= entry.size;
  }
}
