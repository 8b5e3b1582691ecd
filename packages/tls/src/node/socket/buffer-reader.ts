/** The option `onread`: data goes into one buffer that the program owns, and to its callback, not to the stream. */
export interface OnReadOptions {
  readonly buffer: Uint8Array | (() => Uint8Array);
  /** Gets the number of bytes and the buffer; false pauses, until `resume()`. */
  readonly callback: (bytesRead: number, buffer: Uint8Array) => boolean | undefined;
}

/** Undefined for what is no such thing, as in Node. */
export function bufferReaderFor(options: OnReadOptions | null | undefined): BufferReader | undefined {
  const { buffer, callback } = (typeof options === 'object' && options) || ({} as Partial<OnReadOptions>);
  const isGiven = buffer instanceof Uint8Array || typeof buffer === 'function';
  return isGiven && typeof callback === 'function' ? new BufferReader(options!) : undefined;
}

/** Copies what comes into the program's buffer, piece by piece, and keeps the rest while it pauses. */
export class BufferReader {
  readonly #options: OnReadOptions;
  /** A program that gives one buffer after the other is asked for the next when it has the last. */
  #buffer: Uint8Array;
  #waiting: Uint8Array[] = [];
  #isPaused = false;

  constructor(options: OnReadOptions) {
    const { buffer } = options;
    this.#options = options;
    this.#buffer = typeof buffer === 'function' ? buffer() : buffer;
  }

  /** False when the program wants no more for now. */
  deliver(bytes: Uint8Array): boolean {
    this.#waiting.push(bytes);
    this.#drain();
    return !this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** True when everything was told and the program still wants more. */
  resume(): boolean {
    this.#isPaused = false;
    this.#drain();
    return !this.#isPaused;
  }

  #drain(): void {
    while (!this.#isPaused && this.#waiting.length > 0) {
      const [first] = this.#waiting as [Uint8Array];
      const buffer = this.#buffer;
      const length = Math.min(first.length, buffer.length);
      if (length === 0) throw new RangeError('the buffer of onread is empty');
      buffer.set(first.subarray(0, length));
      if (length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(length);
      if (this.#options.callback(length, buffer) === false) this.#isPaused = true;
      const next = this.#options.buffer;
      if (typeof next === 'function') this.#buffer = next();
    }
  }
}
