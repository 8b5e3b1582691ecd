import { afterEach, beforeEach, expect } from 'vitest';
import { closeAll } from './support.ts';

/** For a whole file: after each test everything is closed, and nothing has been thrown where nobody could catch it. */
export function nothingUncaught(): void {
  let uncaught: unknown[] = [];
  const keep = (error: unknown) => void uncaught.push(error);
  beforeEach(() => {
    uncaught = [];
    process.on('uncaughtException', keep);
  });
  afterEach(() => {
    process.off('uncaughtException', keep);
    closeAll();
    expect(uncaught).toEqual([]);
  });
}
