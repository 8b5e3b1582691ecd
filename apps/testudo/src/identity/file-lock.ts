import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, systemReason } from '../failure.ts';

/** Milliseconds to wait for another process, and between two looks. */
const PATIENCE = 10_000;
const PAUSE = 20;

/**
 * Runs `work` while `FILE.lock` says that this process changes `file`. Waits for others, and takes the place of one that
 * died. Throws a `Failure` after ten seconds.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  for (const deadline = Date.now() + PATIENCE; !take(lock); await sleep(PAUSE)) {
    const owner = ownerOf(lock);
    if (owner !== undefined && !isAlive(owner)) rmSync(lock, { force: true });
    else if (Date.now() > deadline)
      throw new Failure(
        `${file} is in use by process ${owner ?? '?'}: wait for it, or remove ${lock} if it is gone`,
      );
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    const descriptor = openSync(lock, 'wx', 0o600);
    writeSync(descriptor, String(process.pid));
    closeSync(descriptor);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new Failure(`cannot write ${lock}: ${systemReason(error)}`, 1, error);
  }
}

/** Undefined when it is gone by now, or not written yet. */
function ownerOf(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is alive, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
