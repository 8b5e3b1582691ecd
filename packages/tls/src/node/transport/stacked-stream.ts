import { Duplex } from 'node:stream';
import type { WriteCallback } from './outbox.ts';

/**
 * What TLS in TLS stands on: the data that comes to the outer socket, which its own reader gets no more, and what is
 * written there.
 */
export class StackedStream extends Duplex {
  readonly #outer: Duplex;
  readonly #more: () => void;

  /** @param more lets the outer connection go on when there is room again. */
  constructor(outer: Duplex, more: () => void) {
    super({ allowHalfOpen: true });
    this.#outer = outer;
    this.#more = more;
  }

  override _read(): void {
    this.#more();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#outer.write(chunk, callback);
  }

  override _final(callback: WriteCallback): void {
    this.#outer.end(callback);
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    callback(error);
    // After what went wrong was told.
    process.nextTick(() => this.#outer.destroy());
  }
}
