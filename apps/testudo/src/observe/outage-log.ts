import { systemReason } from '../failure.ts';
import type { Log } from '../output/log.ts';

/** Milliseconds for which failures are counted together. */
const WINDOW = 60_000;

/** What the lines say. */
export interface OutageTexts {
  readonly first: string;
  /** Of a line with a `count`. */
  readonly more: string;
  /** Once it works again. Default: nothing says that it does. */
  readonly over?: string;
}

/**
 * The log of something that fails for every connection or request while it is down: the first failure is a line at once, the
 * others are one line a minute with their count, and so is the end. What fails and works by turns gets few lines, too.
 */
export class OutageLog {
  readonly #log: Log;
  readonly #details: object;
  readonly #texts: OutageTexts;
  #isDown = false;
  /** Whether the log says that it is down, and whether this minute has said that it is over. */
  #saysDown = false;
  #saidOver = false;
  #reason = '';
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param details fields of every line. */
  constructor(log: Log, details: object, texts: OutageTexts) {
    this.#log = log;
    this.#details = details;
    this.#texts = texts;
  }

  failed(error: unknown): void {
    this.#isDown = true;
    this.#reason = systemReason(error);
    if (this.#timer !== undefined) {
      this.#count++;
      return;
    }
    this.#saidOver = false;
    this.#saysDown = true;
    this.#log.warn({ ...this.#details, reason: this.#reason }, this.#texts.first);
    this.#wait();
  }

  worked(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    if (!this.#saidOver) this.#sayOver();
  }

  /** Says what was counted so far, and begins anew. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saidOver = false;
    if (this.#count > 0) {
      const counted = { ...this.#details, count: this.#count, reason: this.#reason };
      this.#log.warn(counted, this.#texts.more);
      this.#count = 0;
      this.#saysDown = true;
    }
    if (!this.#isDown) this.#sayOver();
  }

  #sayOver(): void {
    if (!this.#saysDown || this.#texts.over === undefined) return;
    this.#saysDown = false;
    this.#saidOver = true;
    const counted = this.#count === 0 ? {} : { count: this.#count };
    this.#count = 0;
    this.#log.info({ ...this.#details, ...counted }, this.#texts.over);
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      const isQuiet = this.#count === 0;
      this.flush();
      if (!isQuiet) this.#wait();
    }, WINDOW).unref();
  }
}
