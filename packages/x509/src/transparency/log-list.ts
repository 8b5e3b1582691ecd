import { DecodeError, fromBase64, toHex } from '@testudo/codec';
import { CertificateError } from '../errors.ts';

/** What a log is good for at present (the log list's words). */
export type LogState = 'pending' | 'qualified' | 'usable' | 'readonly' | 'retired' | 'rejected';

/** A log that is known. */
export interface CertificateLog {
  /** SHA-256 of the key. */
  readonly id: Uint8Array;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly description: string;
  /** Who runs it: a policy wants different ones. */
  readonly operator: string;
  readonly state: LogState;
  /** Since when it is in that state. */
  readonly stateSince: Date | undefined;
  /** The log takes certificates only that end in this span: from its start, before its end. */
  readonly interval: { readonly start: Date; readonly end: Date } | undefined;
}

/** Logs by their id. */
export class LogList {
  readonly #byId: ReadonlyMap<string, CertificateLog>;

  constructor(logs: Iterable<CertificateLog>) {
    this.#byId = new Map(Array.from(logs, (log) => [toHex(log.id), log]));
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: Uint8Array): CertificateLog | undefined {
    return this.#byId.get(toHex(id));
  }

  /**
   * Reads a list in the format that Google publishes (log_list.json, version 3); Apple's is the same. Logs of both kinds
   * are taken, those with a tiled API, too. Unknown members are ignored. Throws {@link CertificateError} `malformed`.
   */
  static parse(json: string): LogList {
    try {
      const { operators } = object(JSON.parse(json), 'the list');
      return new LogList(
        array(operators, 'operators').flatMap((item) => {
          const operator = object(item, 'an operator');
          const name = text(operator['name'], 'an operator\u2019s name');
          return [
            ...array(operator['logs'] ?? [], 'logs'),
            ...array(operator['tiled_logs'] ?? [], 'tiled_logs'),
          ].map((log) => readLog(object(log, 'a log'), name));
        }),
      );
    } catch (error) {
      const isExpected = error instanceof SyntaxError || error instanceof DecodeError;
      if (!isExpected) throw error;
      throw new CertificateError('malformed', `not a log list: ${error.message}`, undefined, error);
    }
  }
}

const STATES: ReadonlySet<string> = new Set([
  'pending',
  'qualified',
  'usable',
  'readonly',
  'retired',
  'rejected',
]);

function readLog(log: Json, operator: string): CertificateLog {
  const [state, details] = Object.entries(object(log['state'] ?? { pending: {} }, 'a state'))[0] ?? [];
  if (state === undefined || !STATES.has(state)) throw malformed('an unknown state');
  const since = object(details, 'a state')['timestamp'];
  const interval = log['temporal_interval'];
  return {
    id: fromBase64(text(log['log_id'], 'log_id')),
    spki: fromBase64(text(log['key'], 'key')),
    description: typeof log['description'] === 'string' ? log['description'] : '',
    operator,
    state: state as LogState,
    stateSince: since === undefined ? undefined : time(since),
    interval: interval === undefined ? undefined : readInterval(object(interval, 'temporal_interval')),
  };
}

function readInterval(interval: Json): { readonly start: Date; readonly end: Date } {
  return { start: time(interval['start_inclusive']), end: time(interval['end_exclusive']) };
}

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw malformed(`${what} is not an object`);
}

function array(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(`${what} is not an array`);
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw malformed(`${what} is not a string`);
}

function time(value: unknown): Date {
  const date = new Date(text(value, 'a time'));
  if (Number.isNaN(+date)) throw malformed('not a time');
  return date;
}

/** As what `JSON.parse` throws, so that both become the same error. */
function malformed(what: string): SyntaxError {
  return new SyntaxError(what);
}
