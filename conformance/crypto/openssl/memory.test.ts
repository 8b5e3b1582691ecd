import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Native memory is no garbage of V8's: what is not freed is gone. In a process of its own, on the build. */

const MIB = 1024 * 1024;
/** Of resident memory, in MiB. */
const NOISE = 40;

test.each([
  // A thousand turns: what leaks in each is some hundred bytes at least, and a key a thousand.
  ['operations', 0.4],
  // Twelve threads, of which each keeps the contexts of its algorithms, and no keys.
  ['workers', 6],
  ['terminated', 6],
])('%s leave no memory behind', async (what, most) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--no-warnings',
    '--expose-gc',
    join(import.meta.dirname, 'threads.mjs'),
    what,
  ]);
  const { grown, isExact } = JSON.parse(stdout);
  expect(grown / MIB).toBeLessThan(isExact ? most : most + NOISE);
});
