import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { cleanUp, cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Identities, type Identity } from '../interop/support/identities.ts';
import { requireProgram, withPrograms } from '../support/programs.ts';
import { startApp } from './support/run.ts';

// A browser, which trusts our CA through its own store, and a program that serves with node:http2 on our TLS.

cleanUpAfterTests();

let identity: Identity;
let ca: string;
let browser: Browser;

withPrograms('chromium', 'certutil')('Chromium', () => {
  beforeAll(async () => {
    const identities = new Identities('Programs');
    identity = identities.server('P-256', { names: ['localhost'] });
    ca = identities.ca;
    trust(identities.folder, ca);
    browser = await chromium.launch({
      executablePath: requireProgram('chromium'),
      env: { ...process.env, HOME: identities.folder },
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-proxy-server'],
    });
    cleanUp(() => browser.close());
  }, 60_000);

  test.each(['register', 'import'] as const)('many requests at once over HTTP/2, by %s', async (mode) => {
    const { child, finished } = startApp('http2-server', mode, { identity, ca });
    cleanUp(() => child.kill());
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const { port } = JSON.parse(line) as { port: number };
    const page = await browser.newPage();
    const response = await page.goto(`https://localhost:${port}/`);
    expect(await response!.headerValue('x-version')).toBe('2.0');
    expect((await response!.securityDetails())?.protocol).toBe('TLS 1.3');
    const lengths = await page.evaluate(() =>
      Promise.all(
        Array.from({ length: 30 }, async (_, i) => (await (await fetch(`/big?${i}`)).text()).length),
      ),
    );
    expect(new Set(lengths)).toEqual(new Set([100_000]));
    await page.close();
    child.stdin.end();
    const { ours, nodes } = await finished;
    expect(ours).toBeGreaterThan(0);
    expect(nodes).toBe(0);
  });
});

/** Chromium on Linux trusts what stands in the NSS database of its user. */
function trust(home: string, authority: string): void {
  const folder = join(home, '.pki', 'nssdb');
  mkdirSync(folder, { recursive: true });
  const certutil = (...args: string[]): unknown =>
    execFileSync(requireProgram('certutil'), ['-d', `sql:${folder}`, ...args], { stdio: 'pipe' });
  certutil('-N', '--empty-password');
  certutil('-A', '-t', 'C,,', '-n', 'programs', '-i', authority);
}
