import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Plan } from '../config/plan.ts';

/** Files that the program has open without any connection, and a few to spare. */
const OWN = 64;

/** What to do about too few. */
export const ADVICE: string =
  'raise the limit (ulimit -n, or LimitNOFILE= in a systemd unit), or lower limits.connections';

/**
 * What to tell an operator whose plan may need more files at once than the system lets this process open; undefined when
 * all is well, or when the system does not say.
 */
export function openFilesWarning({ listeners }: Plan, limit: number = openFilesLimit()): string | undefined {
  const connections = listeners.reduce((sum, one) => sum + one.limits.connections, 0);
  // One to the client, and one to what is behind.
  const needed = listeners.reduce(
    (sum, { limits, service }) =>
      sum + limits.connections * (['forward', 'proxy', 'folder'].includes(service.kind) ? 2 : 1),
    OWN,
  );
  if (needed <= limit) return undefined;
  return `limits.connections allows ${connections} connections, which take up to ${needed} open files, but the system allows ${limit}: ${ADVICE}`;
}

/** Files that this process may have open at once; `Infinity` when there is no limit, or none that is known. */
export function openFilesLimit(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    if (limit !== undefined) return Number(limit);
  } catch {
    // Not Linux: Node asks the system in another way.
  }
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft?: unknown } } }
    | undefined;
  const soft = Number(report?.userLimits?.open_files?.soft);
  return Number.isNaN(soft) ? Number.POSITIVE_INFINITY : soft;
}

/**
 * Finds out when no more files can be opened. Nothing else says so: libuv accepts a connection for which there is no file
 * and closes it at once, without a word.
 */
export class OpenFilesWatch {
  readonly #exhausted: () => void;
  #highest = 0;

  /** @param exhausted called for each connection after which none can be taken. */
  constructor(exhausted: () => void) {
    this.#exhausted = exhausted;
  }

  /** A connection was accepted. The system gives the lowest free number, so only the highest so far can be the last one. */
  accepted(socket: Socket): void {
    const { fd = -1 } = (socket as { _handle?: { fd?: number } | null })._handle ?? {};
    if (fd < this.#highest || fd < 0) return;
    this.#highest = fd;
    if (!canOpen()) this.#exhausted();
  }
}

export const EXHAUSTED: string = `no more files can be opened: new connections are closed at once; ${ADVICE}`;

function canOpen(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return true;
  } catch (error) {
    return !isOutOfFiles(error);
  }
}

/** Whether something failed only because no more files can be opened now: by this process, or on this machine. */
export function isOutOfFiles(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
