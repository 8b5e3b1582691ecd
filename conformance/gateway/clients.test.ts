import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { CHROMIUM_FLAGS } from '../interop/support/chromium.ts';
import { requireProgram, testWithPrograms } from '../support/programs.ts';

/** `testudo up` without a configuration, as users start it, and the clients that it tells them to try. */
const PROGRAM = resolve(import.meta.dirname, '../../apps/testudo/bin/testudo.mjs');

const children: ChildProcess[] = [];
let folder: string;
let gateway: { readonly out: string; readonly https: number; readonly echo: number; readonly ca: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'testudo-'));
  const child = spawn(process.execPath, [
    PROGRAM,
    'up',
    '--data',
    folder,
    '--https-port',
    '0',
    '--echo-port',
    '0',
  ]);
  children.push(child);
  let out = '';
  await new Promise<void>((done, failed) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.includes('Trust the CA')) done();
    });
    child.stderr.on('data', (chunk) =>
      failed(new Error(`${chunk} (the build is needed: node scripts/prepare.mjs)`)),
    );
  });
  const portIn = (pattern: RegExp): number => Number(pattern.exec(out)![1]);
  gateway = {
    out,
    https: portIn(/https:\/\/localhost:(\d+)\//),
    echo: portIn(/-connect localhost:(\d+)/),
    ca: join(folder, 'ca.pem'),
  };
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

testWithPrograms('curl')('curl gets the page with the command that up prints', async () => {
  const { out, ca } = gateway;
  const args = /curl --cacert \S+ (https:\S+)/.exec(out)!;
  const { stdout } = await promisify(execFile)(requireProgram('curl'), [
    '-sS',
    '--noproxy',
    '*',
    '--cacert',
    ca,
    args[1]!,
  ]);
  expect(stdout).toMatch(/^version +TLS 1\.[23]\n/);
});

testWithPrograms('openssl')('openssl s_client talks to the echo, and trusts it', async () => {
  const { echo, ca } = gateway;
  const client = spawn(requireProgram('openssl'), [
    's_client',
    '-CAfile',
    ca,
    '-verify_return_error',
    '-quiet',
    '-connect',
    `localhost:${echo}`,
  ]);
  children.push(client);
  client.stdin.write('hello\n');
  expect((await once(client.stdout, 'data')).join()).toBe('hello\n');
});

testWithPrograms('chromium')(
  'Chromium shows the page, asks nobody else, and finds nothing to complain about',
  async () => {
    const { https } = gateway;
    const browser = await chromium.launch({
      executablePath: requireProgram('chromium'),
      args: [...CHROMIUM_FLAGS],
    });
    try {
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      const complaints: string[] = [];
      const asked: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('request', (request) => asked.push(new URL(request.url()).host));
      const response = await page.goto(`https://localhost:${https}/`);
      expect((await response!.securityDetails())!.protocol).toBe('TLS 1.3');
      expect(await page.locator('h1').textContent()).toBe('Your browser and this server agreed on TLS 1.3.');
      expect(await page.locator('.flow li').count()).toBeGreaterThanOrEqual(9);
      // The style sheet was let through by its hash.
      expect(await page.locator('.brand').evaluate((element) => getComputedStyle(element).display)).toBe(
        'flex',
      );
      await page.setViewportSize({ width: 360, height: 700 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
      expect(complaints).toEqual([]);
      expect([...new Set(asked)]).toEqual([`localhost:${https}`]);
    } finally {
      await browser.close();
    }
  },
);
