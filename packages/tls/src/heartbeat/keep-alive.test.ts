import { describe, expect, test } from 'vitest';
import { KeepAlive } from './keep-alive.ts';

/** Timers that run when the test says so. */
class Timers {
  now = 0;
  readonly due: { at: number; callback: () => void }[] = [];

  readonly start = (after: number, callback: () => void): (() => void) => {
    const timer = { at: this.now + after, callback };
    this.due.push(timer);
    return () => void this.due.splice(this.due.indexOf(timer), 1);
  };

  pass(milliseconds: number): void {
    this.now += milliseconds;
    const due = this.due.filter(({ at }) => at <= this.now);
    for (const timer of due) {
      this.due.splice(this.due.indexOf(timer), 1);
      timer.callback();
    }
  }
}

function start() {
  const timers = new Timers();
  const seen = { asked: 0, dead: 0, answer: () => {} };
  const keepAlive = new KeepAlive({
    interval: 1000,
    timeout: 300,
    startTimer: timers.start,
    ask: (answered) => {
      seen.asked++;
      seen.answer = answered;
    },
    dead: () => seen.dead++,
  });
  return { timers, seen, keepAlive };
}

describe('a keep-alive', () => {
  test('asks after silence, and goes on when it is answered', () => {
    const { timers, seen } = start();
    timers.pass(999);
    expect(seen.asked).toBe(0);
    timers.pass(1);
    expect(seen.asked).toBe(1);
    seen.answer();
    timers.pass(300);
    timers.pass(1000);
    expect(seen).toMatchObject({ asked: 2, dead: 0 });
  });

  test('does not ask a peer that sends', () => {
    const { timers, seen, keepAlive } = start();
    for (let i = 0; i < 5; i++) {
      keepAlive.heard();
      timers.pass(1000);
    }
    expect(seen).toMatchObject({ asked: 0, dead: 0 });
  });

  test('takes anything that comes for an answer', () => {
    const { timers, seen, keepAlive } = start();
    timers.pass(1000);
    keepAlive.heard();
    timers.pass(300);
    expect(seen).toMatchObject({ asked: 1, dead: 0 });
  });

  test('says once that the peer is dead, and has no timer afterwards', () => {
    const { timers, seen } = start();
    timers.pass(1000);
    timers.pass(299);
    expect(seen.dead).toBe(0);
    timers.pass(1);
    timers.pass(10_000);
    expect(seen).toMatchObject({ asked: 1, dead: 1 });
    expect(timers.due).toEqual([]);
  });

  test('stops', () => {
    const { timers, seen, keepAlive } = start();
    keepAlive.stop();
    expect(timers.due).toEqual([]);
    timers.pass(5000);
    expect(seen).toMatchObject({ asked: 0, dead: 0 });
  });

  test('stops while it waits for an answer', () => {
    const { timers, seen, keepAlive } = start();
    timers.pass(1000);
    keepAlive.stop();
    timers.pass(5000);
    expect(seen).toMatchObject({ asked: 1, dead: 0 });
  });
});
