import type { Log } from '../output/log.ts';
import type { TlsFailure } from './tls-failure.ts';

/** Milliseconds for which failures are counted together. */
const WINDOW = 60_000;
/** Lines in that time of one kind from one address, and from all. */
const PER_ADDRESS = 3;
const ALTOGETHER = 30;
/** Addresses that are told apart in that time, and that a summary names. */
const MOST_ADDRESSES = 1000;
const NAMED = 3;

/**
 * The log of handshakes that failed. Whoever sends junk decides how much there is to say, so each address gets a few lines
 * a minute, and what is left out is one line with counts at the end of it.
 */
export class FailureLog {
  readonly #logNow: () => Log;
  readonly #written: Map<string, number> = new Map();
  readonly #omitted: Map<string, number> = new Map();
  #lines = 0;
  #others = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param log where to write at that moment: a reload may bring another one. */
  constructor(log: () => Log) {
    this.#logNow = log;
  }

  get #log(): Log {
    return this.#logNow();
  }

  /** @param remote the client's address with its port, for the line. */
  note(address: string, remote: string, { level, details, text }: TlsFailure): void {
    if (level === 'debug') {
      this.#log.debug({ remote, ...details }, text);
      return;
    }
    this.#timer ??= setTimeout(() => this.flush(), WINDOW).unref();
    const network = networkOf(address);
    if (this.#mayWrite(`${network} ${text}`)) this.#log[level]({ remote, ...details }, text);
    else this.#omit(network);
  }

  /** Says what was left out so far, and begins anew. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = [...this.#omitted].sort(([, a], [, b]) => b - a);
    const count = counts.reduce((sum, [, one]) => sum + one, this.#others);
    this.#written.clear();
    this.#omitted.clear();
    this.#lines = 0;
    this.#others = 0;
    if (count === 0) return;
    const most = counts.slice(0, NAMED).map(([network, one]) => `${network} (${one})`);
    this.#log.info(
      { count, addresses: counts.length, most: most.join(', ') },
      'more handshakes failed in the last minute, in the same ways',
    );
  }

  #mayWrite(key: string): boolean {
    const written = this.#written.get(key) ?? 0;
    if (written >= PER_ADDRESS || this.#lines >= ALTOGETHER) return false;
    this.#written.set(key, written + 1);
    this.#lines++;
    return true;
  }

  #omit(network: string): void {
    const count = this.#omitted.get(network);
    if (count === undefined && this.#omitted.size >= MOST_ADDRESSES) this.#others++;
    else this.#omitted.set(network, (count ?? 0) + 1);
  }
}

/** One who has an IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...after];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
