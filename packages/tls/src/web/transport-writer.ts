/** Bytes on their way to the transport from which on nobody should add to them. */
const FULL = 65_536;

/**
 * The transport's writing end. Counts the bytes on their way itself: some streams over sockets count chunks, and
 * would take thousands of any size.
 */
export class TransportWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #onError: (error: unknown) => void;
  #inFlight = 0;
  #answers = 0;
  #waiting: (() => void)[] = [];
  #closing = false;

  /** @param onError told when the transport fails; maybe more than once. */
  constructor(writable: WritableStream<Uint8Array>, onError: (error: unknown) => void) {
    this.#writer = writable.getWriter();
    this.#onError = onError;
    this.#writer.closed.catch(() => {});
    this.#writer.ready.catch(() => {});
  }

  /** Writes without waiting. */
  write(bytes: Uint8Array): void {
    this.#write(bytes, () => this.#settled(bytes.length));
  }

  /** As {@link write}, for what the engine says by itself. */
  writeAnswer(bytes: Uint8Array): void {
    this.#answers += bytes.length;
    this.#write(bytes, () => {
      this.#answers -= bytes.length;
      this.#settled(bytes.length);
    });
  }

  #write(bytes: Uint8Array, settled: () => void): void {
    this.#inFlight += bytes.length;
    this.#writer.write(bytes).then(settled, (error) => {
      settled();
      this.#onError(error);
    });
  }

  /** Waits until the transport wants more, or is given up. */
  async room(): Promise<void> {
    while (this.#isFull && !this.#closing) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /**
   * True while the peer does not take what it is answered: then it is not to be listened to. What the application writes
   * does not count: two that write before they read must not wait for ever.
   */
  get hasUnreadAnswers(): boolean {
    return this.#answers >= FULL && !this.#closing;
  }

  /** Waits while it is so. */
  async answersRead(): Promise<void> {
    while (this.hasUnreadAnswers) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get #isFull(): boolean {
    // Not the writer's `ready`: a stream of high-water mark 0 never is.
    return this.#inFlight >= FULL || (this.#inFlight > 0 && (this.#writer.desiredSize ?? 1) <= 0);
  }

  /** Closes after what was written; fulfilled in any case, after `grace` milliseconds at the latest. */
  async close(grace: number): Promise<void> {
    this.#closing = true;
    this.#wake();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#writer.abort(new Error('the transport did not accept the last bytes in time')).catch(() => {});
        resolve();
      }, grace);
    });
    await Promise.race([this.#writer.close().catch(() => {}), late]);
    clearTimeout(timer);
  }

  #settled(length: number): void {
    this.#inFlight -= length;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
