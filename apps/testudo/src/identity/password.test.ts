import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { type TestIo, testIo } from '../testing/io.ts';
import { password } from './password.ts';

afterAll(removeFolders);

/** A terminal: it notes when it shows what is typed. */
class Terminal extends PassThrough {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(raw: boolean): this {
    this.modes.push(raw);
    return this;
  }
}

function typing(...lines: string[]): { io: TestIo; terminal: Terminal } {
  const terminal = new Terminal();
  const io = testIo({ stdin: terminal });
  // As a person does it: the next line when it is asked for.
  let asked = 0;
  io.stderr.on('data', () => {
    const questions = io.err().match(/: /g)?.length ?? 0;
    while (asked < Math.min(questions, lines.length)) terminal.write(lines[asked++]!);
  });
  return { io, terminal };
}

describe('on a terminal', () => {
  test('it is asked for, and not shown', async () => {
    const { io, terminal } = typing('s\u00e9cret\r');
    expect(await password(io, undefined, 'a.p12', { isNew: false })).toBe('s\u00e9cret');
    expect(io.err()).toBe('Password for a.p12: \n');
    expect(terminal.modes).toEqual([true, false]);
  });

  test('a new one is asked for twice', async () => {
    const { io } = typing('one\r', 'one\r');
    expect(await password(io, undefined, 'a.p12', { isNew: true })).toBe('one');
    await expect(password(typing('one\r', 'two\r').io, undefined, 'x', { isNew: true })).rejects.toThrow(
      'differ',
    );
    await expect(password(typing('\r').io, undefined, 'x', { isNew: true })).rejects.toThrow('empty');
  });

  test('characters can be taken back, and all of it broken off', async () => {
    expect(
      await password(typing('ab\u007fc\u007f\u007f\u007fd\n').io, undefined, 'x', { isNew: false }),
    ).toBe('d');
    const { io, terminal } = typing('ab\u0003');
    await expect(password(io, undefined, 'x', { isNew: false })).rejects.toThrow('cancelled');
    expect(terminal.modes).toEqual([true, false]);
  });
});

describe('from a file', () => {
  const file = (content: string | Uint8Array): string => join(folderWith({ password: content }), 'password');
  const read = (path: string, input = ''): Promise<string> => {
    const stdin = new PassThrough();
    stdin.end(input);
    return password(testIo({ stdin }), path, 'x', { isNew: true });
  };

  test.each(['secret', 'secret\n', 'secret\r\n', 'secret\nmore\n'])(
    '%j is its first line',
    async (content) => {
      expect(await read(file(content))).toBe('secret');
      expect(await read('-', content)).toBe('secret');
    },
  );

  test.each([
    ['an empty first line', '\nsecret\n', /the first line is empty/],
    ['nothing', '', /the first line is empty/],
    ['too much', 'x'.repeat(1025), /at most 1024 bytes/],
  ])('%s is refused', async (_, content, message) => {
    await expect(read(file(content))).rejects.toThrow(message);
    await expect(read('-', content)).rejects.toThrow(/standard input: /);
  });

  test('one that is not there is named', async () => {
    await expect(read('/none')).rejects.toThrow('/none: cannot read the password: there is no such file');
  });
});

test('without a terminal and without a file it says what to do', async () => {
  await expect(password(testIo(), undefined, 'a.p12', { isNew: true })).rejects.toThrow(
    'a.p12 needs a password, and there is no terminal: give --password-file',
  );
});
