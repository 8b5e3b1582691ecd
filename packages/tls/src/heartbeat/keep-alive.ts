/** Starts a timer; what it returns stops it. Milliseconds. */
export type StartTimer = (after: number, callback: () => void) => () => void;

/**
 * Finds out whether a silent peer is still there (RFC 6520 §5.2): after `interval` milliseconds without a sign of life it
 * is asked, and after `timeout` more it is dead.
 */
export class KeepAlive {
  readonly #parts: KeepAliveParts;
  #cancel: (() => void) | undefined;
  #heard = false;

  constructor(parts: KeepAliveParts) {
    this.#parts = parts;
    this.#wait();
  }

  /** The peer sent something. Cheap: no timer is touched. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    this.#heard = false;
    this.#cancel = this.#parts.startTimer(this.#parts.interval, () => this.#onSilence());
  }

  #onSilence(): void {
    if (this.#heard) {
      this.#wait();
      return;
    }
    this.#cancel = this.#parts.startTimer(this.#parts.timeout, () => this.#onTimeout());
    this.#parts.ask(() => this.heard());
  }

  #onTimeout(): void {
    if (this.#heard) {
      this.#wait();
      return;
    }
    this.#cancel = undefined;
    this.#parts.dead();
  }
}

export interface KeepAliveParts {
  /** Milliseconds of silence before the peer is asked. */
  readonly interval: number;
  /** Milliseconds that it has to answer. */
  readonly timeout: number;
  readonly startTimer: StartTimer;
  /** Sends a heartbeat; `answered` is called with the answer. */
  readonly ask: (answered: () => void) => void;
  /** Called once: nothing came in time. */
  readonly dead: () => void;
}
