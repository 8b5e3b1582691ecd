import type { Socket } from 'node:net';

/** Bytes that wait for the one to whom they go before no more are read. Some reads' worth. */
export const MOST_WAITING = 131_072;

/**
 * Passes on what one connection reads to another, at the pace of that, and its end as an end. As `pipe` does, but what comes in
 * one read can leave in one write, and reading stops when much waits, not with each write that is as long as the stream's own measure.
 */
export class Passage {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #joins: boolean;
  #isCorked = false;

  /** @param joins whether it is worth while to write what came in one read at once: for the records of TLS. */
  constructor(from: Socket, to: Socket, joins: boolean) {
    this.#joins = joins;
    this.#from = from;
    this.#to = to;
    from.on('data', this.#pass);
    from.on('end', this.#end);
    to.on('drain', this.#goOn);
  }

  /** From here on what comes is not passed on. */
  stop(): void {
    this.#from.off('data', this.#pass);
    this.#from.off('end', this.#end);
    this.#to.off('drain', this.#goOn);
  }

  readonly #pass = (chunk: Buffer): void => {
    if (this.#to.writableEnded || this.#to.destroyed) return;
    if (this.#joins && !this.#isCorked) {
      this.#isCorked = true;
      this.#to.cork();
      process.nextTick(uncork, this);
    }
    this.#to.write(chunk);
    if (this.#to.writableLength > MOST_WAITING) this.#from.pause();
  };

  readonly #end = (): void => void this.#to.end();

  readonly #goOn = (): void => void this.#from.resume();

  uncork(): void {
    this.#isCorked = false;
    this.#to.uncork();
  }
}

function uncork(passage: Passage): void {
  passage.uncork();
}
