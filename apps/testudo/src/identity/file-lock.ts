import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { Failure, systemReason } from '../failure.ts';
import { type Life, type LockOwner, lifeOf, ourselves, parseOwner } from './lock-owner.ts';
import { isWithoutLinks } from './private-files.ts';
import { temporaryFor } from './temporary-file.ts';

/** Milliseconds to wait for another process, and between two looks. */
const PATIENCE = 10_000;
const PAUSE = 20;

/** Milliseconds between two signs of life, and without one until whoever cannot be looked up counts as dead. */
const BEAT = 1000;
const SILENCE = 5000;
/** The same for a lock that says nothing: whoever makes one writes into it at once. */
const EMPTY = 1000;

/** Another process holds the lock, and does not let go. */
export class LockBusy extends Failure {}

/**
 * Runs `work` while `FILE.lock` says that this process changes `file`. Waits for others, and takes the place of one that
 * died, whatever it left. Throws a {@link LockBusy} after ten seconds, and any other `Failure` when nothing can be written.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  const owner = ourselves();
  const watch = new Watch();
  for (const deadline = Date.now() + PATIENCE; !take(lock, owner, watch); await sleep(PAUSE)) {
    if (Date.now() > deadline) throw busy(file, lock);
  }
  const isOurs = (): boolean => parseOwner(textOf(lock) ?? '')?.mark === owner.mark;
  const beat = setInterval(() => {
    if (isOurs()) giveSignOfLife(lock);
  }, BEAT);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if (isOurs()) rmSync(lock, { force: true });
  }
}

/**
 * Takes the lock if nobody has it. One that is dead is removed under a lock of its own: of two that see the same dead
 * one, the slower would else remove what the faster has taken meanwhile.
 */
function take(lock: string, owner: LockOwner, watch: Watch): boolean {
  if (create(lock, owner)) return true;
  if (watch.lifeOf(lock) !== 'dead') return false;
  const removal = `${lock}.removal`;
  if (!take(removal, owner, watch)) return false;
  try {
    if (watch.lifeOf(lock) === 'dead') rmSync(lock, { force: true });
  } finally {
    rmSync(removal, { force: true });
  }
  return false;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What one who waits has seen of locks whose owners cannot be looked up. */
class Watch {
  readonly #seen: Map<string, { readonly sign: string; readonly since: number }> = new Map();

  lifeOf(lock: string): Life {
    const text = textOf(lock);
    if (text === undefined) return 'unclear';
    const owner = parseOwner(text);
    const life = owner === undefined ? 'unclear' : lifeOf(owner);
    if (life !== 'unclear') return life;
    const sign = `${text} ${changedAt(lock)}`;
    const before = this.#seen.get(lock);
    if (before?.sign !== sign) {
      this.#seen.set(lock, { sign, since: performance.now() });
      return 'unclear';
    }
    const limit = owner === undefined ? EMPTY : SILENCE;
    return performance.now() - before.since > limit ? 'dead' : 'unclear';
  }
}

/** Makes the lock with all that it says in one step, so that a disk that is full leaves nothing. */
function create(lock: string, owner: LockOwner): boolean {
  if (existsSync(lock)) return false;
  const temporary = temporaryFor(lock);
  const text = `${JSON.stringify(owner)}\n`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    return link(temporary, lock) ?? writeInto(lock, text);
  } catch (error) {
    throw new Failure(`cannot write ${lock}: ${systemReason(error)}`, 1, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Undefined on a file system that has no links. */
function link(temporary: string, lock: string): boolean | undefined {
  try {
    linkSync(temporary, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (isWithoutLinks(error)) return undefined;
    throw error;
  }
}

function writeInto(lock: string, text: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(lock, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeFileSync(descriptor, text);
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return true;
}

function giveSignOfLife(lock: string): void {
  try {
    utimesSync(lock, new Date(), new Date());
  } catch {
    // Who lets go will see that it is gone.
  }
}

function busy(file: string, lock: string): LockBusy {
  const owner = parseOwner(textOf(lock) ?? '');
  const here = ourselves();
  const isNear = owner?.space === here.space && owner.boot === here.boot;
  const who =
    owner === undefined
      ? 'another process'
      : `process ${owner.pid}${isNear ? '' : ' of another container or machine'}`;
  return new LockBusy(`${file} is in use by ${who}: wait for it, or end it`);
}

function textOf(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return undefined;
  }
}

function changedAt(lock: string): number | undefined {
  return statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
}
