import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Milliseconds after which a temporary file is what a process left that did not end by itself. */
const LEFT_BEHIND = 600_000;

/**
 * A name beside `file` for what is to become `file`, that no other process takes: process numbers are no help, since each
 * container has its own. What earlier ones left behind is removed.
 */
export function temporaryFor(file: string): string {
  removeLeftBehind(file);
  return `${file}.${randomBytes(8).toString('hex')}.tmp`;
}

function removeLeftBehind(file: string): void {
  const folder = dirname(file);
  const start = `${basename(file)}.`;
  try {
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(start) || !/^[0-9a-f]{16}\.tmp$/.test(name.slice(start.length))) continue;
      const left = join(folder, name);
      if (Date.now() - statSync(left).mtimeMs > LEFT_BEHIND) rmSync(left, { recursive: true, force: true });
    }
  } catch {
    // Where nothing can be removed, whoever writes will say so.
  }
}
