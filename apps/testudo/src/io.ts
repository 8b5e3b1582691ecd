import type { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** The program's surroundings: `bin/testudo.mjs` gives the process', tests give their own. */
export interface Io {
  /** How the program was called, for commands that it proposes: `testudo`. */
  readonly program: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where SIGINT, SIGTERM and SIGHUP arrive. */
  readonly signals: EventEmitter;
}

/** Whether a person looks at the stream. */
export function isTerminal(stream: object): boolean {
  return (stream as { isTTY?: boolean }).isTTY === true;
}
