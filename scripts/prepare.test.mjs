import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

// The real scripts in a small workspace, with an npm, a tsc and a bundler that only note that they ran.

const FAKE_NPM = `
  const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
  appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
  if (existsSync('npm-fails')) { console.error('no such package'); process.exit(1); }
  mkdirSync('node_modules/typescript/bin', { recursive: true });
  writeFileSync('node_modules/typescript/bin/tsc', require('node:fs').readFileSync('fake-tsc.cjs'));
  mkdirSync('node_modules/rolldown', { recursive: true });
  writeFileSync('node_modules/rolldown/index.js', require('node:fs').readFileSync('fake-rolldown.cjs'));
  const done = () => writeFileSync('node_modules/.package-lock.json', '{}');
  existsSync('npm-hangs') ? setTimeout(done, 60000) : setTimeout(done, 50);`;
const FAKE_TSC = `
  const { appendFileSync, mkdirSync, readdirSync, existsSync, writeFileSync } = require('node:fs');
  appendFileSync('tsc.log', process.argv.slice(2).join(' ') + '\\n');
  if (existsSync('packages/a/dist') || existsSync('packages/a/tsconfig.tsbuildinfo')) throw new Error('not clean');
  mkdirSync('packages/a/dist', { recursive: true });
  for (const file of readdirSync('packages/a/src')) {
    if (file.includes('.test.')) continue;
    for (const end of ['.d.ts', '.d.ts.map']) writeFileSync('packages/a/dist/' + file.replace('.ts', end), '');
  }
  if (existsSync('tsc-fails')) { console.log('a.ts(1,1): error TS1'); process.exit(2); }
  writeFileSync('packages/a/tsconfig.tsbuildinfo', '');`;
const FAKE_ROLLDOWN = `
  const { appendFileSync, existsSync, writeFileSync } = require('node:fs');
  exports.rolldown = async ({ input }) => {
    appendFileSync('rolldown.log', JSON.stringify(input) + '\\n');
    if (existsSync('rolldown-fails')) throw new Error('unresolved import');
    return {
      write: async ({ dir }) => Object.keys(input).forEach((name) => writeFileSync(dir + '/' + name + '.js', '')),
      close: async () => {},
    };
  };`;
const PACKAGE = { exports: { '.': { 'testudo-source': './src/b.ts', default: './dist/b.js' } } };

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'prepare-'));
  const scripts = dirname(fileURLToPath(import.meta.url));
  cpSync(join(scripts, 'prepare.mjs'), join(root, 'scripts/prepare.mjs'));
  cpSync(join(scripts, 'prepare'), join(root, 'scripts/prepare'), { recursive: true });
  mkdirSync(join(root, 'packages/a/src'), { recursive: true });
  mkdirSync(join(root, 'npm'));
  write('npm/npm-cli.cjs', FAKE_NPM);
  write('fake-tsc.cjs', FAKE_TSC);
  write('fake-rolldown.cjs', FAKE_ROLLDOWN);
  write('package.json', '{ "engines": { "node": ">=20.19" } }');
  write('package-lock.json', '{ "packages": {} }');
  write('tsconfig.build.json', '{ "references": [{ "path": "packages/a" }] }');
  write('tsconfig.base.json', '{}');
  write('packages/a/package.json', JSON.stringify(PACKAGE));
  write('packages/a/tsconfig.json', '{}');
  write('packages/a/src/a.ts', '');
  write('packages/a/src/b.ts', '');
  write('packages/a/src/a.test.ts', '');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('installs with development packages and builds, once', async () => {
  expect(await prepare()).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^Installing.*\nCompiling.*\nBundling.*\n$/),
  });
  expect(log('npm.log')).toEqual([expect.stringMatching(/^ci --include=dev /)]);
  expect(await prepare()).toEqual({ code: 0, output: '' });
  expect(log('npm.log').length + log('tsc.log').length).toBe(2);
  expect(leftovers()).toEqual([]);
});

test('installs again when the lock file changes, and from the manifest where there is none', async () => {
  await prepare();
  write('package-lock.json', '{ "packages": { "node_modules/yaml": { "version": "2" } } }');
  await prepare();
  rmSync(join(root, 'package-lock.json'));
  rmSync(join(root, 'node_modules'), { recursive: true });
  await prepare();
  expect(log('npm.log').map((line) => line.split(' ')[0])).toEqual(['ci', 'ci', 'install']);
});

test('takes over what npm installed by hand, if it is what the lock file names', async () => {
  const yaml = { 'node_modules/yaml': { version: '2.0.0', integrity: 'sha512-AA==' } };
  const elsewhere = {
    'node_modules/native': { version: '1.0.0', optional: true, os: ['elsewhere'], cpu: ['x64'] },
  };
  const here = {
    'node_modules/native': {
      ...elsewhere['node_modules/native'],
      os: [process.platform],
      cpu: [process.arch],
    },
  };
  await prepare('--install');
  const isTaken = async (wanted, present) => {
    const before = log('npm.log').length;
    rmSync(join(root, 'node_modules/.cache'), { recursive: true });
    write('package-lock.json', JSON.stringify({ packages: { '': {}, ...wanted } }));
    write('node_modules/.package-lock.json', JSON.stringify({ packages: present }));
    await prepare('--install');
    return log('npm.log').length === before;
  };
  expect(await isTaken({ ...yaml, ...elsewhere }, yaml)).toBe(true);
  expect(await isTaken({ ...yaml, ...here }, yaml)).toBe(false);
  expect(await isTaken(yaml, {})).toBe(false);
  expect(await isTaken({}, yaml)).toBe(false);
  expect(await isTaken(yaml, { 'node_modules/yaml': { version: '2.0.1', integrity: 'sha512-AA==' } })).toBe(
    false,
  );
});

test.each([
  ['a changed source', () => write('packages/a/src/a.ts', 'changed'), true],
  ['a touched tsconfig', () => utimesSync(join(root, 'packages/a/tsconfig.json'), 1, 1), true],
  [
    'a changed package.json',
    () => write('packages/a/package.json', JSON.stringify({ ...PACKAGE, version: '2' })),
    true,
  ],
  ['a new source', () => write('packages/a/src/c.ts', ''), true],
  ['a deleted dist', () => rmSync(join(root, 'packages/a/dist'), { recursive: true }), true],
  ['a deleted output', () => rmSync(join(root, 'packages/a/dist/b.js')), true],
  ['a changed test', () => write('packages/a/src/a.test.ts', 'changed'), false],
])('after %s: builds again or not', async (_, change, builds) => {
  await prepare();
  change();
  await prepare();
  expect(log('tsc.log')).toHaveLength(builds ? 2 : 1);
  expect(existsSync(join(root, 'packages/a/dist/b.js'))).toBe(true);
});

test('makes declarations by tsc, and one script for each door by the bundler', async () => {
  await prepare();
  expect(log('tsc.log')).toEqual([expect.stringContaining('--emitDeclarationOnly')]);
  expect(log('rolldown.log')).toEqual(['{"b":"./src/b.ts"}']);
  expect(readdirSync(join(root, 'packages/a/dist')).sort()).toEqual([
    'a.d.ts',
    'a.d.ts.map',
    'b.d.ts',
    'b.d.ts.map',
    'b.js',
  ]);
});

test('leaves nothing of sources that are gone', async () => {
  await prepare();
  mkdirSync(join(root, 'packages/a/dist/old'));
  write('packages/a/dist/old/x.js', '');
  rmSync(join(root, 'packages/a/src/a.ts'));
  await prepare();
  expect(readdirSync(join(root, 'packages/a/dist')).sort()).toEqual(['b.d.ts', 'b.d.ts.map', 'b.js']);
});

test('shows the errors of the compiler, the bundler and npm, and tries again', async () => {
  write('tsc-fails', '');
  expect(await prepare()).toMatchObject({ code: 1, output: expect.stringContaining('error TS1') });
  rmSync(join(root, 'tsc-fails'));
  expect((await prepare()).code).toBe(0);
  expect(log('tsc.log')).toHaveLength(2);
  write('packages/a/src/a.ts', 'changed');
  write('rolldown-fails', '');
  expect(await prepare()).toMatchObject({ code: 1, output: expect.stringContaining('unresolved import') });
  rmSync(join(root, 'rolldown-fails'));
  expect((await prepare()).code).toBe(0);
  write('npm-fails', '');
  write('package-lock.json', '{ "packages": { "x": {}, "node_modules/yaml": {} } }');
  expect(await prepare()).toMatchObject({ code: 1, output: expect.stringContaining('no such package') });
  expect(leftovers()).toEqual([]);
});

test('two at once do the work once', async () => {
  const results = await Promise.all([prepare(), prepare()]);
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  expect(log('npm.log').length + log('tsc.log').length).toBe(2);
  expect(leftovers()).toEqual([]);
});

test('an interrupted installation ends at once, leaves no lock and is done again', async () => {
  write('npm-hangs', '');
  const { child, ended } = start();
  await fileAppears('npm.log');
  child.kill('SIGTERM');
  expect((await ended).code).toBe(143);
  expect(leftovers()).toEqual([]);
  rmSync(join(root, 'npm-hangs'));
  expect((await prepare()).code).toBe(0);
  expect(log('npm.log')).toHaveLength(2);
});

test('a lock whose holder died is taken over, a living one is not', async () => {
  mkdirSync(join(root, '.prepare.lock'));
  const owner = (pid) =>
    write('.prepare.lock/owner.json', JSON.stringify({ id: 'x', host: hostname(), pids: [pid] }));
  owner(process.pid);
  const { child, ended } = start();
  const waiting = await new Promise((resolve) => child.stderr.once('data', resolve));
  expect(String(waiting)).toContain(`Waiting for process ${process.pid}`);
  expect(existsSync(join(root, 'npm.log'))).toBe(false);
  owner(2 ** 30); // over the largest id that Linux gives
  expect((await ended).code).toBe(0);
  expect(log('npm.log')).toHaveLength(1);
  expect(leftovers()).toEqual([]);
});

test('an old Node is refused in one line', async () => {
  write('package.json', '{ "engines": { "node": ">=999.1" } }');
  const { code, output } = await prepare();
  expect(code).toBe(1);
  expect(output).toBe(
    `Testudo needs Node 999.1 or newer, and this is Node ${process.versions.node}: see https://nodejs.org/\n`,
  );
});

function prepare(...args) {
  return start(...args).ended;
}

function start(...args) {
  const child = spawn(process.execPath, ['scripts/prepare.mjs', ...args], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', npm_execpath: join(root, 'npm/npm-cli.cjs') },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, output }))) };
}

function write(name, text) {
  writeFileSync(join(root, name), text);
}

function log(name) {
  return readFileSync(join(root, name), 'utf8').trimEnd().split('\n');
}

function leftovers() {
  return readdirSync(root).filter((name) => name.startsWith('.prepare'));
}

async function fileAppears(name) {
  await expect.poll(() => existsSync(join(root, name)), { interval: 10 }).toBe(true);
}
