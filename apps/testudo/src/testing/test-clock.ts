import type { Clock } from '../clock.ts';

interface Appointment {
  readonly at: number;
  readonly action: () => void;
}

/** Waits up to this long, in milliseconds, are real, but short: work with a server that really answers. */
const REAL = 10_000;

/** A clock that a test puts forward: what waits for minutes or months happens when it says so. */
export class TestClock implements Clock {
  #offset = 0;
  readonly #appointments: Set<Appointment> = new Set();

  now(): number {
    return Date.now() + this.#offset;
  }

  schedule(action: () => void, delay: number): () => void {
    if (delay <= REAL) {
      const timer = setTimeout(action, Math.min(delay, 50));
      return () => clearTimeout(timer);
    }
    const appointment = { at: this.now() + delay, action };
    this.#appointments.add(appointment);
    return () => void this.#appointments.delete(appointment);
  }

  /** Milliseconds until the next appointment; undefined when there is none. */
  get next(): number | undefined {
    const times = [...this.#appointments].map(({ at }) => at - this.now());
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Puts the clock forward by some milliseconds, and does what was due meanwhile. */
  advance(milliseconds: number): void {
    this.#offset += milliseconds;
    for (const appointment of this.#appointments) {
      if (appointment.at > this.now()) continue;
      this.#appointments.delete(appointment);
      appointment.action();
    }
  }
}
