import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from './testing/folder.ts';
import { stopAll, tcpServer } from './testing/test-gateway.ts';

/** The program as users run it: compiled, in a process of its own. */
const PROGRAM = resolve(import.meta.dirname, '../bin/testudo.mjs');
const isBuilt = existsSync(resolve(import.meta.dirname, '../dist/index.js'));
const suite = isBuilt ? describe : describe.skip;
const needsBuild = isBuilt ? '' : ' (skipped: needs the build: node scripts/prepare.mjs)';

const children: ChildProcessWithoutNullStreams[] = [];
afterEach(stopAll);
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(removeFolders);

function testudo(...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, NO_COLOR: '1' } });
  children.push(child);
  return child;
}

interface Up {
  readonly child: ChildProcessWithoutNullStreams;
  readonly out: string;
  readonly https: number;
  readonly echo: number;
  readonly ca: string;
  readonly ended: Promise<number | null>;
}

async function up(): Promise<Up> {
  const data = folderWith();
  const child = testudo('up', '--data', data, '--https-port', '0', '--echo-port', '0');
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  let out = '';
  await new Promise<void>((done, failed) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.includes('Trust the CA')) done();
    });
    child.stderr.on('data', (chunk) => failed(new Error(String(chunk))));
  });
  const portIn = (pattern: RegExp): number => Number(pattern.exec(out)![1]);
  return {
    child,
    out,
    ended,
    https: portIn(/https:\/\/localhost:(\d+)\//),
    echo: portIn(/-connect localhost:(\d+)/),
    ca: join(data, 'ca.pem'),
  };
}

async function finished(
  child: ChildProcessWithoutNullStreams,
  input?: string,
): Promise<{ code: number | null; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  if (input !== undefined) child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, out, err };
}

suite(`the program${needsBuild}`, () => {
  test('connect goes through a pipe to up, which ends with 0 on SIGTERM', async () => {
    const { child, echo, ca, ended } = await up();
    const result = await finished(testudo('connect', `localhost:${echo}`, '--ca', ca), 'hello');
    expect(result).toMatchObject({ code: 0, out: 'hello' });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('a connection may finish after SIGINT, and a second one ends it', async () => {
    const { child, echo, ca, ended } = await up();
    const client = testudo('connect', `localhost:${echo}`, '--ca', ca);
    client.stdin.write('before ');
    await once(client.stdout, 'data');
    child.kill('SIGINT');
    // It is heard when a new connection is refused.
    await expect
      .poll(
        async () => (await finished(testudo('connect', `localhost:${echo}`, '--ca', ca, '--no-input'))).code,
      )
      .toBe(3);
    const end = finished(client);
    client.stdin.write('after');
    expect((await once(client.stdout, 'data')).join()).toBe('after');
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    // It was told, by a close_notify.
    expect((await end).code).toBe(0);
  });

  test('a port in use is one line, and exit code 1', async () => {
    const port = await tcpServer(() => undefined);
    const result = await finished(
      testudo('up', '--data', folderWith(), '--https-port', String(port), '--echo-port', '0'),
    );
    expect(result).toEqual({
      code: 1,
      out: '',
      err: `testudo: welcome: 127.0.0.1:${port} is in use by another program: stop that one, or choose another port\n`,
    });
  });

  test('whoever stops reading its output does it no harm', async () => {
    const { ca } = await up();
    const child = testudo('ca', 'show', ca, '--json');
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    const [code] = await once(child, 'close');
    expect([code, err]).toEqual([0, '']);
  });
});
