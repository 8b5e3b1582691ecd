import { EventEmitter } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import type { Io } from '../io.ts';

export interface TestIo extends Io {
  readonly signals: EventEmitter;
  /** All of standard output so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves when standard output holds `text`. */
  readonly waitForOut: (text: string) => Promise<string>;
}

/** Surroundings of a run, in memory. */
export function testIo(options: { stdin?: Readable; env?: Record<string, string> } = {}): TestIo {
  const stdout = new Collected();
  const stderr = new Collected();
  return {
    program: 'testudo',
    stdin: options.stdin ?? endedInput(),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? {},
    signals: new EventEmitter(),
    out: () => stdout.text,
    err: () => stderr.text,
    waitForOut: (text) => stdout.waitFor(text),
  };
}

function endedInput(): Readable {
  return new PassThrough().end();
}

class Collected {
  readonly stream = new PassThrough();
  text = '';

  constructor() {
    this.stream.setEncoding('latin1').on('data', (chunk: string) => {
      this.text += Buffer.from(chunk, 'latin1').toString();
    });
  }

  waitFor(wanted: string): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.text.includes(wanted)) return;
        this.stream.off('data', look);
        resolve(this.text);
      };
      this.stream.on('data', look);
      look();
    });
  }
}
