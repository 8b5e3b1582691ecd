import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { lintTarball } from './lint.mjs';
import { npm, tarballName } from './pack.mjs';

const folders = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const MANIFEST = {
  name: '@testudo/a',
  version: '1.0.0',
  license: 'Apache-2.0',
  type: 'module',
  files: ['dist'],
  exports: { '.': { types: './dist/a.d.ts', default: './dist/a.js' } },
};

/** Problems of a package of these files, as npm packs it. */
async function problemsOf(changes) {
  const folder = mkdtempSync(join(tmpdir(), 'lint-'));
  folders.push(folder);
  const files = {
    'package.json': MANIFEST,
    'README.md': '# a\n',
    LICENSE: 'licence',
    'dist/a.js': 'export const a = 1;\n',
    'dist/a.d.ts': 'export declare const a: number;\n',
    ...changes,
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  await npm(['pack', '--ignore-scripts'], folder);
  return (await lintTarball(readFileSync(join(folder, tarballName(MANIFEST))))).join('\n');
}

test('ES modules alone are no problem', async () => expect(await problemsOf({})).toBe(''));

test.each([
  [
    'a door without types',
    {
      'package.json': { ...MANIFEST, exports: { ...MANIFEST.exports, './b': './dist/b.js' } },
      'dist/b.js': '',
    },
    'has wrong types: UntypedResolution ./b',
  ],
  [
    'declarations that import what is not there',
    { 'dist/a.d.ts': "export { b } from './b.ts';\n" },
    'has wrong types: InternalResolutionError',
  ],
  [
    'CommonJS that is called a module',
    { 'dist/a.js': 'module.exports = { a: 1 };\n' },
    'fails publint: pkg.exports["."].default is ./dist/a.js and is written in CJS',
  ],
  [
    'types that nobody reaches',
    { 'package.json': { ...MANIFEST, exports: { '.': { default: './dist/a.js', types: './dist/a.d.ts' } } } },
    'fails publint: ',
  ],
])('%s: told', async (_, changes, expected) => {
  expect(await problemsOf(changes)).toContain(expected);
});
