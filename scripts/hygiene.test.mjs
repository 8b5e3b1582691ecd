import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkLock, checkSizes } from './hygiene.mjs';

const trees = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

function treeOf(files) {
  const root = mkdtempSync(join(tmpdir(), 'hygiene-'));
  trees.push(root);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

describe('checkSizes', () => {
  const long = 'x\n'.repeat(501);

  test('allows 500 lines, and data and output of any length', () => {
    const root = treeOf({
      'packages/tls/src/a.ts': 'x\n'.repeat(500),
      'packages/tls/dist/a.js': long,
      'conformance/vectors/a.ts': long,
      'conformance/a.json': long,
    });
    expect(checkSizes(root)).toEqual([]);
  });

  test('names a longer file', () => {
    expect(checkSizes(treeOf({ 'packages/tls/src/a.test.ts': long }))).toEqual([
      'packages/tls/src/a.test.ts: 501 lines, over 500: split it by concept',
    ]);
  });

  test('accepts a reason as long as there is a file for it', () => {
    const reasons = new Map([['bench/a.mjs', 'one table']]);
    expect(checkSizes(treeOf({ 'bench/a.mjs': long }), reasons)).toEqual([]);
    expect(checkSizes(treeOf({ 'bench/a.mjs': 'x\n' }), reasons)).toEqual([
      expect.stringContaining('bench/a.mjs is not long any more'),
    ]);
  });
});

describe('checkLock', () => {
  const manifest = { dependencies: { yaml: '^2.0.0' } };
  const yaml = { 'node_modules/yaml': { version: '2.0.0', integrity: 'sha512-AA==' } };
  const lockWith = (entries) => ({ packages: { '': manifest, ...yaml, ...entries } });

  test('accepts a lock file that names no registry and knows all manifests', () => {
    const lock = lockWith({
      'packages/tls': manifest,
      'node_modules/yaml': { dependencies: { a: '1' }, optionalDependencies: { b: '1' } },
      'node_modules/a': {},
      'node_modules/yaml/node_modules/b': { optional: true, os: ['aix'] },
      'node_modules/@testudo/tls': { resolved: 'packages/tls', link: true },
    });
    const files = {
      'package-lock.json': lock,
      'package.json': manifest,
      'packages/tls/package.json': manifest,
    };
    expect(checkLock(treeOf(files))).toEqual([]);
  });

  test('refuses an address of a registry', () => {
    const lock = lockWith({ 'node_modules/yaml': { resolved: 'http://localhost/yaml-2.0.0.tgz' } });
    expect(checkLock(treeOf({ 'package-lock.json': lock, 'package.json': manifest }))).toEqual([
      expect.stringContaining('node_modules/yaml names its registry'),
    ]);
  });

  test.each([
    ['added', { dependencies: { yaml: '^2.0.0', zod: '^4.0.0' } }],
    ['changed', { dependencies: { yaml: '^3.0.0' } }],
    ['removed', {}],
  ])('refuses a manifest with a dependency %s since', (_, changed) => {
    expect(checkLock(treeOf({ 'package-lock.json': lockWith({}), 'package.json': changed }))).toEqual([
      expect.stringContaining('does not have the dependencies of package.json'),
    ]);
  });

  test.each([
    ['package', 'dependencies'],
    ['package for another platform', 'optionalDependencies'],
  ])('refuses a lock file that lacks a %s', (_, group) => {
    const lock = lockWith({ 'node_modules/yaml': { [group]: { native: '1' } } });
    expect(checkLock(treeOf({ 'package-lock.json': lock, 'package.json': manifest }))).toEqual([
      expect.stringContaining('lacks native, which node_modules/yaml needs'),
    ]);
  });

  test('refuses a workspace that is gone, and a missing lock file', () => {
    const lock = lockWith({ 'packages/gone': {} });
    expect(checkLock(treeOf({ 'package-lock.json': lock, 'package.json': manifest }))).toEqual([
      expect.stringContaining('packages/gone is not there any more'),
    ]);
    expect(checkLock(treeOf({}))).toEqual(['package-lock.json: is missing']);
  });
});
