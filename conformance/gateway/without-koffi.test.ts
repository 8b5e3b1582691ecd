import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { cleanUp } from '../interop/support/clean-up.ts';

/** What `npm start` starts, on a machine where OpenSSL cannot be called straight, and to compare on one where it can. */
const PROGRAM = resolve(import.meta.dirname, '../../apps/testudo/bin/testudo.mjs');
const WITHOUT = resolve(import.meta.dirname, '../crypto/openssl/without-koffi.cjs');

test.each([
  ['as it is', [], {}],
  ['koffi is not installed', ['--require', WITHOUT], { FAKE_KOFFI: 'absent' }],
  ['addons are forbidden', ['--no-addons'], {}],
  ['it is switched off', [], { TESTUDO_CRYPTO: 'node' }],
] as (readonly [string, readonly string[], Readonly<Record<string, string>>])[])(
  'the gateway serves: %s',
  async (_, flags, environment) => {
    const folder = mkdtempSync(join(tmpdir(), 'testudo-'));
    cleanUp(() => rmSync(folder, { recursive: true, force: true }));
    const args = ['up', '--data', folder, '--https-port', '0', '--echo-port', '0'];
    const child = spawn(process.execPath, [...flags, PROGRAM, ...args], {
      env: { ...process.env, ...environment },
    });
    cleanUp(() => void child.kill('SIGKILL'));
    let [out, log] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      log += chunk;
    });
    await expect.poll(() => out, { timeout: 30_000 }).toContain('Trust the CA');
    const portIn = (pattern: RegExp): number => Number(pattern.exec(out)![1]);
    const trusting = { host: 'localhost', ca: readFileSync(join(folder, 'ca.pem')) };

    const request = get({
      ...trusting,
      port: portIn(/https:\/\/localhost:(\d+)\//),
      path: '/connection.json',
    });
    const [answer] = await once(request, 'response');
    expect(answer.statusCode).toBe(200);
    expect(JSON.parse(await text(answer))).toMatchObject({ version: 'TLSv1.3' });

    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const echo = connect({ ...trusting, port: portIn(/-connect localhost:(\d+)/), maxVersion });
      echo.end('a word');
      expect(await text(echo)).toBe('a word');
      expect(echo.authorized).toBe(true);
    }
    expect(log).toBe('');
  },
);
