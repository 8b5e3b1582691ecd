import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npm, type Packed, packAll } from '../../scripts/packages/pack.mjs';
import { type LoopbackRegistry, loopbackRegistry } from './loopback-registry.ts';
import { outsiders } from './outsiders.ts';

// What a user gets: the packages' tarballs, installed by npm in an empty project; then compiled against, and run. What they
// need of others comes from a registry of our own, so that no network is asked.

const LIBRARIES = ['@testudo/codec', '@testudo/crypto', '@testudo/x509', '@testudo/tls'];
/** Milliseconds: npm packs and installs some eighty packages. */
const LONG = 300_000;
let folder = '';
let packed: Packed[] = [];
let registry: LoopbackRegistry | undefined;

beforeAll(async () => {
  if (!existsSync('packages/tls/dist/node/index.js'))
    throw new Error('packages are packed as they were built: npm run build');
  folder = mkdtempSync(join(tmpdir(), 'testudo-packages-'));
  packed = await packAll(resolve('.'), folder);
  const types = resolve('node_modules/@types/node');
  const ours = packed.map(({ name }) => name);
  const needed = outsiders([...packed.map(({ path }) => path), types], ours);
  registry = await loopbackRegistry([types, ...needed], folder);
  await install('anywhere', LIBRARIES, []);
  await install('node', LIBRARIES, ['@types/node']);
}, LONG);
afterAll(() => {
  registry?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('under tsc --strict, with all declarations checked', () => {
  const NODENEXT = { module: 'nodenext' };
  const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };
  const WEB = { lib: ['es2023', 'dom', 'dom.iterable'], types: [] };
  const NODE = { lib: ['es2023'], types: ['node'] };

  test.each([
    ['anywhere', 'nodenext', { ...NODENEXT, ...WEB }],
    ['anywhere', 'bundler', { ...BUNDLER, ...WEB }],
    ['node', 'nodenext', { ...NODENEXT, ...NODE }],
    ['node', 'bundler', { ...BUNDLER, ...NODE }],
  ])('a program for %s, resolved as %s, compiles and runs', async (project, resolution, options) => {
    const { said, out } = await compile(project, resolution, options);
    expect(said).toBe('');
    expect((await run(project, [join(out, `${project}.js`)])).split('\n')).toEqual(EXPECTED[project]);
  });

  test('a mistake is one', async () => {
    const { said } = await compile('anywhere', 'mistaken', { ...NODENEXT, ...WEB }, 'uint16(1);');
    expect(said).toMatch(/error TS2349/);
  });
});

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  anywhere: ['codec 258 6162', 'truncated', 'name-mismatch', 'TLSv1.3 hello', 'false 1 undefined', ''],
  node: ['tls hello TLSv1.3 true', 'https page', 'http2 stream', 'register true', 'roots true', ''],
};

describe('the example of a README', () => {
  test.each(LIBRARIES)('of %s prints what stands below it', async (name) => {
    const readme = readFileSync(join(folder, 'node', 'node_modules', name, 'README.md'), 'utf8');
    const [, program = '', output] = /```js\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
    writeFileSync(join(folder, 'node', 'readme.mjs'), program);
    expect(await run('node', ['readme.mjs'])).toBe(output);
  });
});

describe('the doors for tests', () => {
  test.each(LIBRARIES)('are not in %s', async (name) => {
    const at = join(folder, 'node', 'node_modules', name);
    const files = readdirSync(at, { recursive: true, encoding: 'utf8' });
    expect(files).toContain(join('src', 'index.ts'));
    expect(files.filter((file) => /\.test\.|(^|[\\/])testing([\\/]|$)/.test(file))).toEqual([]);
    for (const condition of ['default', 'testudo-source']) {
      const program = `await import('${name}/testing')`;
      await expect(
        run('node', ['--conditions', condition, '--input-type=module', '-e', program]),
      ).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
    }
  });

  test('what they give is there, for us', async () => {
    expect(await import('#tls/testing')).toHaveProperty('Pair');
  });
});

test('require takes the packages, too', async () => {
  const program =
    "console.log(require('@testudo/tls/node').connect === require('@testudo/tls/node').default.connect)";
  expect(await run('node', ['--no-warnings', '--input-type=commonjs', '-e', program])).toBe('true\n');
});

test(
  'the command line runs from its tarball',
  async () => {
    await install('testudo', [...LIBRARIES, 'testudo'], []);
    const bin = join('node_modules', '.bin', 'testudo');
    expect(existsSync(join(folder, 'testudo', bin))).toBe(true);
    const script = join('node_modules', 'testudo', 'bin', 'testudo.mjs');
    expect(await run('testudo', [script, '--version'])).toMatch(
      /^\d+\.\d+\.\d+\nNode \d[\d.]+, OpenSSL 3\S+ called straight\n$/,
    );
    await run('testudo', [script, 'ca', 'init', '--data', 'data']);
    const shown = await run('testudo', [script, 'ca', 'show', join('data', 'ca.pem')]);
    expect(shown).toContain('Testudo');
  },
  LONG,
);

/** An empty project into which npm installs tarballs of ours, and from the registry what they need, and `others`. */
async function install(project: string, names: readonly string[], others: readonly string[]): Promise<void> {
  const home = join(folder, project);
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const tarballs = packed.filter(({ name }) => names.includes(name)).map(({ tarball }) => tarball);
  const where = ['--registry', registry?.url ?? '', '--cache', join(folder, 'cache')];
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund'];
  await npm(['install', ...tarballs, ...others, ...where, ...quietly], home);
}

/** What the compiler says of a project's program, and the folder in which its script is. */
async function compile(
  project: string,
  name: string,
  options: object,
  more = '',
): Promise<{ said: string; out: string }> {
  const home = join(folder, project);
  const source = `${project}.ts`;
  copyFileSync(resolve('conformance/packages/project', source), join(home, source));
  if (more !== '') writeFileSync(join(home, source), `\n${more}\n`, { flag: 'a' });
  const out = `out-${name}`;
  const all = { strict: true, skipLibCheck: false, target: 'es2023', rootDir: '.', outDir: out, ...options };
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions: all, files: [source] }));
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const said = await new Promise<string>((done) => {
    execFile(process.execPath, [tsc, '-p', home, '--pretty', 'false'], (_error, stdout, stderr) =>
      done(stdout + stderr),
    );
  });
  return { said, out };
}

/** Standard output of a program in a project; rejects with what it says when it fails. */
function run(project: string, args: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { cwd: join(folder, project) }, (error, stdout) =>
      error === null ? done(stdout) : fail(error),
    );
  });
}
