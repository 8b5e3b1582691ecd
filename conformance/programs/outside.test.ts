import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { cleanUp, cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Identities, type Identity } from '../interop/support/identities.ts';
import { requireProgram, withPrograms } from '../support/programs.ts';
import { environment, type Mode, startApp } from './support/run.ts';

// Programs that are not ours to import: clients of our HTTP/2, and npm itself.

cleanUpAfterTests();

const run = promisify(execFile);

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities('Programs');
  identity = identities.server('P-256', { names: ['localhost'] });
});

/** Starts an app that serves; its port, and what it ended with once it was told to end. */
async function serve(name: string, mode: Mode, env: Record<string, string> = {}) {
  const { child, finished } = startApp(name, mode, { identity, ca: identities.ca, env });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const { port } = JSON.parse(line) as { port: number };
  cleanUp(() => child.kill());
  const end = async () => {
    child.stdin.end();
    return finished;
  };
  return { port, end };
}

withPrograms('h2load')('h2load', () => {
  test.each(['register', 'import'] as const)('HTTP/2 by %s', async (mode) => {
    const { port, end } = await serve('http2-server', mode);
    const load = ['-n', '600', '-c', '6', '-m', '20'];
    const { stdout } = await run(requireProgram('h2load'), [...load, `https://127.0.0.1:${port}/big`]);
    expect(stdout).toContain('Application protocol: h2');
    expect(stdout).toContain(
      '600 total, 600 started, 600 done, 600 succeeded, 0 failed, 0 errored, 0 timeout',
    );
    const { ours, nodes } = await end();
    expect([ours, nodes]).toEqual([6, 0]);
  });

  test('falls back to HTTP/1.1', async () => {
    const { port, end } = await serve('http2-server', 'register');
    const load = ['--h1', '-n', '100', '-c', '4'];
    const { stdout } = await run(requireProgram('h2load'), [...load, `https://127.0.0.1:${port}/`]);
    expect(stdout).toContain('Application protocol: http/1.1');
    expect(stdout).toContain('100 succeeded, 0 failed, 0 errored');
    await end();
  });
});

withPrograms('curl')('curl', () => {
  test('HTTP/2 and HTTP/1.1 from one server', async () => {
    const { port, end } = await serve('http2-server', 'register');
    for (const [option, version] of [
      ['--http2', '2'],
      ['--http1.1', '1.1'],
    ]) {
      const form = ['-sS', option!, '--cacert', identities.ca, '-w', ' %{http_version}'];
      const { stdout } = await run(requireProgram('curl'), [...form, `https://localhost:${port}/`]);
      expect(stdout).toBe(`hello ${version}`);
    }
    expect((await end()).ours).toBe(2);
  });
});

test('npm installs from a registry, with our engine at both ends', async () => {
  const folder = identities.path('npm');
  mkdirSync(join(folder, 'package'), { recursive: true });
  mkdirSync(join(folder, 'project'));
  const manifest = { name: 'hello-testudo', version: '1.0.0' };
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'project/package.json'), '{ "private": true }');
  const tarball = join(folder, 'hello-testudo-1.0.0.tgz');
  execFileSync('tar', ['-czf', tarball, '-C', folder, 'package']);
  const { port, end } = await serve('registry', 'register', { TARBALL: tarball });

  const running = process.env['npm_execpath'] ?? '';
  const beside = join(dirname(realpathSync(process.execPath)), '../lib/node_modules/npm/bin/npm-cli.js');
  const npm = running.endsWith('npm-cli.js') ? running : beside;
  const quiet = [
    '--no-audit',
    '--no-fund',
    '--cache',
    join(folder, 'cache'),
    '--userconfig',
    join(folder, 'npmrc'),
  ];
  const command = [
    '--import',
    resolve('packages/tls/dist/node/register.js'),
    npm,
    'install',
    'hello-testudo',
  ];
  await run(process.execPath, [...command, ...quiet, '--registry', `https://localhost:${port}/`], {
    cwd: join(folder, 'project'),
    env: { ...environment(identities.ca), npm_config_cafile: identities.ca },
  });
  const installed = readFileSync(join(folder, 'project/node_modules/hello-testudo/package.json'), 'utf8');
  expect(JSON.parse(installed)).toMatchObject(manifest);
  expect((await end()).ours).toBeGreaterThan(0);
});
