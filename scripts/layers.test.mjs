import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkLayers, LAYERS } from './layers.mjs';

const trees = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** Where a test door leads. */
const TESTING = { 'testudo-source': './packages/tls/src/testing/index.ts' };

/** A workspace of codec < crypto < x509 < tls and one application, sound unless `changes` break it. */
function breachesWith(changes) {
  const root = mkdtempSync(join(tmpdir(), 'layers-'));
  trees.push(root);
  const files = {
    'package.json': { devDependencies: { vitest: '1' }, imports: { '#tls/testing': TESTING } },
    'tsconfig.build.json': references(
      ...['packages/codec', './packages/crypto', 'packages/x509', 'packages/tls', 'apps/testudo'],
    ),
    ...pack('packages/codec', '@testudo/codec', {}),
    ...pack(
      'packages/crypto',
      '@testudo/crypto',
      { '@testudo/codec': '1', '@noble/hashes': '1' },
      '../codec',
    ),
    ...pack('packages/x509', '@testudo/x509', {}),
    ...pack('packages/tls', '@testudo/tls', { '@testudo/codec': '1' }, '../codec'),
    ...pack('apps/testudo', 'testudo', { '@testudo/tls': '1' }, '../../packages/tls'),
    ...changes,
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return checkLayers(root);
}

function pack(path, name, dependencies, ...paths) {
  const exports = { '.': './src/index.ts', './node': './src/node/index.ts', './parts/*': './src/parts/*.ts' };
  return {
    [`${path}/package.json`]: { name, exports, dependencies },
    [`${path}/tsconfig.json`]: references(...paths),
    [`${path}/src/index.ts`]: "export * from './a.ts';\n",
  };
}

function references(...paths) {
  return { references: paths.map((path) => ({ path })) };
}

describe('the layers hold', () => {
  test('in a sound workspace', () => expect(breachesWith({})).toEqual([]));

  test.each([
    [
      'a test that asks for programs',
      'packages/tls/src/a.test.ts',
      "import '../../../conformance/support/programs.ts';",
    ],
    ['an import from below', 'packages/tls/src/a.ts', "import { Reader } from '@testudo/codec';"],
    ['a door with a pattern', 'packages/tls/src/a.ts', "import '@testudo/codec/parts/der';"],
    ['a declared package and its sub-path', 'packages/crypto/src/a.ts', "import '@noble/hashes/sha2.js';"],
    [
      'Node modules in an adapter',
      'packages/tls/src/node/a.ts',
      "import 'node:net'; import 'fs'; process.exit();",
    ],
    [
      'an adapter that imports another door for Node',
      'packages/tls/src/node/a.ts',
      "import '@testudo/codec/node';",
    ],
    [
      'Node modules and test tools in a test',
      'packages/tls/src/a.test.ts',
      "import 'node:fs'; import 'vitest'; Buffer;",
    ],
    [
      'Node modules in an application',
      'apps/testudo/src/a.ts',
      "import 'node:fs'; import '@testudo/tls/node';",
    ],
    [
      'Node modules and insides in what tests share',
      'packages/tls/src/testing/a.ts',
      "import 'node:fs'; import 'vitest'; import '../b.ts'; Buffer;",
    ],
    ['a test that uses what tests share', 'packages/tls/src/a.test.ts', "import './testing/a.ts';"],
    ['a test door', 'conformance/a.test.ts', "import '#tls/testing';"],
    ['a breach in a comment', 'packages/codec/src/a.ts', "// import 'node:fs'\n"],
    ['a breach in build output', 'packages/codec/dist/a.js', "import 'node:fs';"],
    [
      'doors used by a benchmark',
      'bench/a.ts',
      "import '@testudo/tls'; import 'vitest'; import 'node:fs'; import './b.ts';",
    ],
  ])('with %s', (_, file, source) => expect(breachesWith({ [file]: source })).toEqual([]));
});

describe('a source breaks them by', () => {
  test.each([
    [
      'importing upwards',
      'packages/codec/src/a.ts',
      "import '@testudo/tls';",
      'imports @testudo/tls, which is not below',
    ],
    [
      'a type from above',
      'packages/codec/src/a.ts',
      "let a: import('@testudo/tls').A;",
      'which is not below',
    ],
    [
      'importing upwards in a test',
      'packages/codec/src/a.test.ts',
      "import '@testudo/tls';",
      'which is not below',
    ],
    [
      'importing an application',
      'packages/tls/src/a.ts',
      "import 'testudo';",
      'imports testudo, which is not below',
    ],
    [
      'a deep import',
      'packages/tls/src/a.ts',
      "import '@testudo/codec/src/der.ts';",
      'no door of @testudo/codec',
    ],
    [
      'a deep import of itself',
      'packages/tls/src/a.ts',
      "import '@testudo/tls/src/b.ts';",
      'no door of @testudo/tls',
    ],
    [
      'a relative import of a package',
      'packages/tls/src/a.ts',
      "import '../../codec/src/b.ts';",
      'outside its package',
    ],
    [
      'the same from a test',
      'packages/tls/src/a.test.ts',
      "import '../../codec/src/b.ts';",
      'outside its package',
    ],
    [
      'what asks for programs, from what users get',
      'packages/tls/src/a.ts',
      "import '../../../conformance/support/programs.ts';",
      'outside its package',
    ],
    [
      'something else of conformance from a test',
      'packages/tls/src/a.test.ts',
      "import '../../../conformance/support/other.ts';",
      'outside its package',
    ],
    [
      'a Node module',
      'packages/codec/src/a.ts',
      "import { readFileSync } from 'node:fs';",
      'only src/node may import',
    ],
    [
      'a Node module by its old name',
      'packages/codec/src/a.ts',
      "import 'crypto';",
      'only src/node may import',
    ],
    [
      'a type of a Node module',
      'packages/codec/src/a.ts',
      "import type { A } from 'node:tls';",
      'only src/node may',
    ],
    ['its own adapter', 'packages/tls/src/web/a.ts', "import '../node/b.ts';", 'an adapter'],
    ['a door for Node', 'packages/tls/src/a.ts', "import '@testudo/codec/node';", 'a door for Node only'],
    ['process', 'packages/tls/src/a.ts', 'if (process.env.DEBUG) debug();', 'uses process'],
    ['Buffer', 'packages/tls/src/a.ts', 'export const a = Buffer.alloc(1);', 'uses Buffer'],
    ['a computed import', 'packages/tls/src/a.ts', 'await import(name);', 'computed name'],
    [
      'an undeclared npm package',
      'packages/tls/src/a.ts',
      "import '@noble/hashes/sha2.js';",
      'does not declare',
    ],
    [
      'an undeclared package from below',
      'packages/tls/src/a.ts',
      "import '@testudo/crypto';",
      'does not declare',
    ],
    [
      'a development package',
      'packages/tls/src/a.ts',
      "import 'vitest';",
      'imports vitest, which packages/tls/package.json',
    ],
    [
      'a deep import from a benchmark',
      'bench/a.ts',
      "import '@testudo/tls/src/a.ts';",
      'no door of @testudo/tls',
    ],
    ['what only tests get', 'packages/tls/src/a.ts', "import './testing/a.ts';", 'which users do not get'],
    ['a test of its own', 'packages/tls/src/node/a.ts', "import '../b.test.ts';", 'which users do not get'],
    [
      'an import into a package from a fuzzer',
      'fuzz/a.ts',
      "import '../packages/tls/src/a.ts';",
      'which is inside of packages/tls',
    ],
    [
      'an import into what tests share, past its door',
      'conformance/x/a.test.ts',
      "import { a } from '../../packages/tls/src/testing/index.ts';",
      'which is inside of packages/tls',
    ],
    [
      'a type from within an application',
      'conformance/x/a.ts',
      "type A = import('../../apps/testudo/src/a.ts').A;",
      'which is inside of apps/testudo',
    ],
    ['a test door that is not there', 'bench/a.ts', "import '#codec/testing';", 'none of the "imports"'],
    ['a test door in a package', 'packages/tls/src/a.test.ts', "import '#tls/testing';", 'does not declare'],
    [
      'an undeclared package in a fuzzer',
      'fuzz/a.ts',
      "import 'left-pad';",
      'which package.json does not declare',
    ],
  ])('%s', (_, file, source, expected) => {
    expect(breachesWith({ [file]: `\n${source}\n` })).toEqual([expect.stringContaining(expected)]);
    expect(breachesWith({ [file]: `\n${source}\n` })[0]).toMatch(new RegExp(`^${file}:2: `));
  });
});

test('a test folder that is a workspace has development packages of its own, and its neighbours do not', () => {
  const source = "import 'left-pad';\n";
  const files = {
    'conformance/programs/package.json': { devDependencies: { 'left-pad': '1' } },
    'conformance/programs/apps/a.mjs': source,
    'conformance/a.ts': source,
  };
  expect(breachesWith(files)).toEqual([expect.stringMatching(/^conformance\/a\.ts:1: imports left-pad/)]);
});

describe('a manifest breaks them by', () => {
  test.each([
    ['without the condition', './packages/tls/src/testing/index.ts'],
    ['by another condition', { default: './packages/tls/src/testing/index.ts' }],
    ['by more conditions', { ...TESTING, default: './packages/tls/src/testing/index.ts' }],
    ['to another file', { 'testudo-source': './packages/tls/src/index.ts' }],
  ])('a test door that leads %s', (_, door) => {
    expect(breachesWith({ 'package.json': { imports: { '#tls/testing': door } } })).toEqual([
      expect.stringMatching(/^package\.json: #tls\/testing is to lead/),
    ]);
  });

  test('a dependency from above', () => {
    expect(breachesWith(pack('packages/codec', '@testudo/codec', { '@testudo/tls': '1' }, '../tls'))).toEqual(
      ['packages/codec/package.json: depends on @testudo/tls, which is not below it'],
    );
  });

  test('a tsconfig without the reference of a dependency', () => {
    expect(breachesWith({ 'packages/tls/tsconfig.json': references() })).toEqual([
      'packages/tls/tsconfig.json: lacks the reference to packages/codec, a dependency',
    ]);
  });

  test('a tsconfig with a reference that is no dependency', () => {
    expect(breachesWith({ 'packages/tls/tsconfig.json': references('../codec', '../crypto') })).toEqual([
      'packages/tls/tsconfig.json: references packages/crypto, which is no dependency',
    ]);
  });

  test('a package that the build does not know', () => {
    const list = references('packages/codec', 'packages/crypto', 'packages/tls', 'apps/testudo');
    expect(breachesWith({ 'tsconfig.build.json': list })).toEqual([
      'tsconfig.build.json: lacks packages/x509',
    ]);
  });
});

describe('a folder breaks them by', () => {
  const PLACELESS = 'packages/dns: has no place in the layers: add it to LAYERS in scripts/layers.mjs';

  test('having no place in the layers', () => {
    const files = {
      ...pack('packages/dns', '@testudo/dns', { '@testudo/codec': '1' }, '../codec'),
      'packages/dns/src/a.ts': "import '@testudo/codec';",
    };
    expect(breachesWith(files)).toEqual([PLACELESS, 'tsconfig.build.json: lacks packages/dns']);
  });

  test('being no package yet', () => {
    expect(breachesWith({ 'packages/dns/src/index.ts': 'export {};' })).toEqual([
      PLACELESS,
      'packages/dns: has no package.json',
    ]);
  });

  test('not being there', () => {
    const root = mkdtempSync(join(tmpdir(), 'layers-'));
    trees.push(root);
    writeFileSync(join(root, 'package.json'), '{}');
    writeFileSync(join(root, 'tsconfig.build.json'), '{ "references": [] }');
    expect(checkLayers(root)).toEqual(
      LAYERS.map((name) => `scripts/layers.mjs: LAYERS names ${name}, but there is no packages/${name}`),
    );
  });

  test('nothing where it holds build output only', () => {
    expect(breachesWith({ 'packages/dns/dist/index.js': 'export {};' })).toEqual([]);
  });
});
