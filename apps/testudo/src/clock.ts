import type { StaplerClock } from '@testudo/x509';
import { LONGEST_TIMER } from './config/duration.ts';

/** Time as the gateway's long-term work sees it, so that a test can make it pass. */
export type Clock = StaplerClock;

/** The machine's. Its timers do not keep the program alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(action, delay) {
    let timer: NodeJS.Timeout;
    const end = Date.now() + delay;
    const arm = (): void => {
      const left = end - Date.now();
      // Node's timers take 24 days at most, and more fires at once.
      timer = setTimeout(left > LONGEST_TIMER ? arm : action, Math.min(Math.max(left, 0), LONGEST_TIMER));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** Waits `delay` milliseconds. Rejects with the signal's reason when that comes first. */
export function wait(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.schedule(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, delay);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
