import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Who holds a lock. A process number alone says little: it is given again, in a container at each start. What else is
 * known tells whether that process lives; null is what a system does not tell.
 */
export interface LockOwner {
  readonly pid: number;
  /** When the process began, in ticks since the boot: no other process of that number has it. */
  readonly start: string | null;
  /** Which run of the kernel. */
  readonly boot: string | null;
  /** In which space of process numbers: containers have their own. */
  readonly space: string | null;
  /** Which machine. */
  readonly host: string;
  /** This very lock. */
  readonly mark: string;
}

/** This process, with a mark of its own for each lock. */
export function ourselves(): LockOwner {
  own ??= {
    pid: process.pid,
    start: processState(process.pid)?.start ?? null,
    boot: quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    space: quietly(() => readlinkSync('/proc/self/ns/pid')),
    host: [hostname(), quietly(() => readFileSync('/etc/machine-id', 'utf8').trim())].join(' ').trim(),
  };
  return { ...own, mark: randomUUID() };
}

let own: Omit<LockOwner, 'mark'> | undefined;

/** `unclear`: on another machine, in another container, or where the system does not tell when a process began. */
export type Life = 'alive' | 'dead' | 'unclear';

/** Whether the process that holds a lock lives, as seen from `here`. */
export function lifeOf(owner: LockOwner, here: LockOwner = ourselves()): Life {
  const isSameBoot = owner.boot === here.boot && (owner.boot !== null || owner.host === here.host);
  if (!isSameBoot) {
    const hasBooted = owner.boot !== null && here.boot !== null && owner.host === here.host;
    return hasBooted ? 'dead' : 'unclear';
  }
  if (owner.space !== here.space) return 'unclear';
  if (!exists(owner.pid)) return 'dead';
  const state = processState(owner.pid);
  if (owner.start === null || state === undefined) return 'unclear';
  return state.start === owner.start && !state.hasEnded ? 'alive' : 'dead';
}

/** The owner in a lock's text; undefined for what no process of ours has written, or not wholly. */
export function parseOwner(text: string): LockOwner | undefined {
  try {
    const { pid, start, boot, space, host, mark } = JSON.parse(text) as LockOwner;
    const isText = (value: unknown): boolean => typeof value === 'string';
    const isTold = (value: unknown): boolean => value === null || isText(value);
    const isWhole =
      Number.isInteger(pid) && pid > 0 && [start, boot, space].every(isTold) && isText(host) && isText(mark);
    return isWhole ? { pid, start, boot, space, host, mark } : undefined;
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is alive, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** proc(5): the name, in parentheses, may hold anything; behind it the state is the first field, the start the 20th. */
function processState(pid: number): { readonly start: string; readonly hasEnded: boolean } | undefined {
  const text = quietly(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? '';
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const start = fields[19];
  // Z: ended, and nobody has asked how.
  return start === undefined ? undefined : { start, hasEnded: /^[ZXx]$/.test(state!) };
}

function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
