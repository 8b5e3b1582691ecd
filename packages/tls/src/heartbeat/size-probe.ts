import { HEARTBEAT_OVERHEAD, MIN_PADDING } from './message.ts';

/**
 * Finds the largest message that still gets through (RFC 6520 §5.1, RFC 4821), by requests whose padding grows and shrinks:
 * padding does not come back, so that only the way there is measured. Sizes are those of whole heartbeat messages, in bytes.
 */
export class SizeProbe {
  #works: number;
  #fails: number;

  /** `least` is known to get through, `most` is the largest to try. */
  constructor(least: number, most: number) {
    this.#works = Math.max(least, HEARTBEAT_OVERHEAD);
    this.#fails = Math.max(most, this.#works) + 1;
  }

  /** The largest size that is known to get through. */
  get size(): number {
    return this.#works;
  }

  /** The size to try next; undefined when it is found. */
  get next(): number | undefined {
    if (this.#fails - this.#works <= 1) return undefined;
    return Math.ceil((this.#works + this.#fails) / 2);
  }

  /** Padding for a request of the next size with this much payload; undefined when there is nothing to try. */
  paddingFor(payloadLength: number): number | undefined {
    const size = this.next;
    return size === undefined
      ? undefined
      : Math.max(MIN_PADDING, size - HEARTBEAT_OVERHEAD + MIN_PADDING - payloadLength);
  }

  /** The message of the next size was answered. */
  answered(): void {
    this.#works = this.next ?? this.#works;
  }

  /** It was not, in good time. */
  lost(): void {
    this.#fails = this.next ?? this.#fails;
  }
}
