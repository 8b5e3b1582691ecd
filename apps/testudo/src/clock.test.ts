import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock, wait } from './clock.ts';
import { LONGEST_TIMER } from './config/duration.ts';

afterEach(() => void vi.useRealTimers());

describe('the machine\u2019s clock', () => {
  test.each([1000, LONGEST_TIMER - 1, LONGEST_TIMER, LONGEST_TIMER + 1000, 60 * 86_400_000])(
    'keeps an appointment in %d ms, once',
    (delay) => {
      vi.useFakeTimers();
      const action = vi.fn();
      systemClock.schedule(action, delay);
      vi.advanceTimersByTime(delay - 1);
      expect(action).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(action).toHaveBeenCalledOnce();
      vi.advanceTimersByTime(delay);
      expect(action).toHaveBeenCalledOnce();
    },
  );

  test('forgets an appointment, also one that is far away', () => {
    vi.useFakeTimers();
    const action = vi.fn();
    const cancel = systemClock.schedule(action, 60 * 86_400_000);
    vi.advanceTimersByTime(40 * 86_400_000);
    cancel();
    vi.advanceTimersByTime(40 * 86_400_000);
    expect(action).not.toHaveBeenCalled();
  });

  test('does at once what is overdue', () => {
    vi.useFakeTimers();
    const action = vi.fn();
    systemClock.schedule(action, -5);
    vi.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledOnce();
  });
});

describe('waiting', () => {
  test('ends with the time, or with the signal', async () => {
    vi.useFakeTimers();
    const first = wait(systemClock, 1000, new AbortController().signal);
    vi.advanceTimersByTime(1000);
    await first;
    const stop = new AbortController();
    const second = wait(systemClock, 1000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(vi.getTimerCount()).toBe(0);
    await expect(wait(systemClock, 1000, stop.signal)).rejects.toThrow('enough');
  });
});
