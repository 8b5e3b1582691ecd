import type { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';
import { type Io, isTerminal } from '../io.ts';
import type { LogLevel } from './log-level.ts';
import { type Style, styleFor } from './style.ts';
import { shown } from './text.ts';

export type Log = Logger;

/** Structured logs on standard error: a line of JSON each, or a readable line on a terminal. */
export function createLog(io: Pick<Io, 'stderr' | 'env'>, level: LogLevel): Log {
  const destination: DestinationStream = isTerminal(io.stderr)
    ? { write: (line) => void io.stderr.write(`${readable(line, styleFor(io.stderr, io.env))}\n`) }
    : { write: (line) => void (io.stderr as Writable).write(line) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

function readable(line: string, style: Style): string {
  const { level, time, msg, ...details } = JSON.parse(line) as Record<string, unknown>;
  const name = (LEVEL_NAMES[level as number] ?? String(level)).padEnd(5);
  const coloured =
    (level as number) >= 50
      ? style.bad(name)
      : (level as number) >= 40
        ? style.warn(name)
        : style.accent(name);
  const rest = Object.entries(details)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? shown(value, 300) : JSON.stringify(value)}`)
    .join(' ');
  return `${style.faint(String(time).slice(11, 19))} ${coloured} ${shown(String(msg), 400)} ${style.faint(rest)}`.trimEnd();
}
