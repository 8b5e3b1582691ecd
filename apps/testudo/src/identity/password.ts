import { readFileSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { EXIT, Failure, systemReason } from '../failure.ts';
import { type Io, isTerminal } from '../io.ts';

/** Longest password, in bytes; a file that is longer was not meant. */
const LONGEST = 1024;

/**
 * A password: the first line of `file` (`-` is standard input), else asked for on the terminal, unseen. Throws a
 * `Failure` when there is no terminal, or nothing in the file.
 */
export async function password(
  io: Io,
  file: string | undefined,
  what: string,
  options: { readonly isNew: boolean },
): Promise<string> {
  if (file !== undefined)
    return firstLineOf(file === '-' ? await readInput(io) : readPasswordFile(file), file);
  if (!isTerminal(io.stdin))
    throw new Failure(`${what} needs a password, and there is no terminal: give --password-file`, EXIT.usage);
  const first = await ask(io, `Password for ${what}: `);
  if (first === '' && options.isNew) throw new Failure('the password is empty: nothing was written');
  if (options.isNew && (await ask(io, 'Repeat it: ')) !== first)
    throw new Failure('the two passwords differ: nothing was written');
  return first;
}

/** Throws a `Failure`. */
export function readPasswordFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure(`${file}: cannot read the password: ${systemReason(error)}`, EXIT.usage, error);
  }
}

async function readInput(io: Io): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of io.stdin as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > LONGEST) break;
  }
  return Buffer.concat(parts);
}

/** What stands in the first line of `file`, or of standard input: `-`. Throws a `Failure` when that is nothing. */
export function firstLineOf(content: Buffer, file: string): string {
  const where = file === '-' ? 'standard input' : file;
  const line = content.toString('utf8').split(/\r?\n/, 1)[0]!;
  if (line === '') throw new Failure(`${where}: the first line is empty: put the password there`, EXIT.usage);
  if (Buffer.byteLength(line) > LONGEST)
    throw new Failure(`${where}: a password has at most ${LONGEST} bytes`, EXIT.usage);
  return line;
}

/** Reads a line that the terminal does not show. */
function ask(io: Io, prompt: string): Promise<string> {
  const stdin = io.stdin as ReadStream;
  io.stderr.write(prompt);
  stdin.setRawMode?.(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let line = '';
    const done = (finish: () => void): void => {
      stdin.off('data', onData);
      stdin.setRawMode?.(false);
      stdin.pause();
      io.stderr.write('\n');
      finish();
    };
    const onData = (text: string): void => {
      for (const character of text) {
        const isEnd = character === '\r' || character === '\n' || character === '\u0004';
        if (isEnd || character === '\u0003') {
          done(isEnd ? () => resolve(line) : () => reject(new Failure('cancelled: nothing was written')));
          return;
        }
        if (character === '\u007f' || character === '\b') line = [...line].slice(0, -1).join('');
        else line += character;
      }
    };
    stdin.on('data', onData);
  });
}
