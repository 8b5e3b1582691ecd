import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkManifests, publishedPackages } from './manifests.mjs';

const trees = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

const MANIFEST = {
  name: '@testudo/a',
  version: '1.0.0',
  description: 'A',
  keywords: ['a', 'b', 'c'],
  homepage: 'https://testudo.example/#readme',
  bugs: { url: 'https://testudo.example/issues' },
  repository: { type: 'git', url: 'git+https://testudo.example/testudo.git', directory: 'packages/a' },
  license: 'Apache-2.0',
  type: 'module',
  engines: { node: '>=20.19' },
  sideEffects: false,
  files: ['dist', 'src', '!src/**/*.test.ts', '!src/**/testing'],
  exports: {
    '.': { 'testudo-source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
  },
  scripts: { prepack: 'node ../../scripts/prepare.mjs' },
  publishConfig: { access: 'public' },
};
const WORKSPACE = { private: true, license: 'Apache-2.0', engines: { node: '>=20.19' } };
const README = '# a\n\n```js\na();\n```\n';

/** A workspace of one package, sound unless `changes` break it; a file that is undefined is not there. */
function workspaceWith(changes) {
  const root = mkdtempSync(join(tmpdir(), 'manifests-'));
  trees.push(root);
  const files = {
    'package.json': WORKSPACE,
    LICENSE: 'licence',
    'tsconfig.build.json': { references: [{ path: 'packages/a' }] },
    'packages/a/package.json': MANIFEST,
    'packages/a/README.md': README,
    'packages/a/LICENSE': 'licence',
    ...changes,
  };
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

test('a sound workspace', () => expect(checkManifests(workspaceWith({}))).toEqual([]));

test('what is private is not published, and need not say anything', () => {
  const root = workspaceWith({ 'packages/a/package.json': { name: 'a', private: true } });
  expect(publishedPackages(root)).toEqual([]);
  expect(checkManifests(root)).toEqual([]);
});

describe('a manifest that lacks something, or has it wrong, is named with what it is', () => {
  const door = MANIFEST.exports['.'];
  test.each([
    ['description', '', 'has no description'],
    ['keywords', undefined, 'fewer than 3 keywords'],
    ['keywords', ['a'], 'fewer than 3 keywords'],
    ['homepage', undefined, 'has no homepage'],
    ['homepage', 'packages/a', 'has no homepage'],
    ['bugs', undefined, 'where to report one'],
    ['repository', undefined, 'does not name its repository'],
    ['repository', { ...MANIFEST.repository, directory: 'packages/b' }, 'directory is not packages/a'],
    ['repository', { ...MANIFEST.repository, url: 'file:///tmp' }, 'does not name its repository'],
    ['license', 'MIT', 'license is not Apache-2.0'],
    ['engines', { node: '>=18' }, 'engines.node is not >=20.19'],
    ['type', 'commonjs', 'type is not module'],
    ['sideEffects', undefined, 'does not say in sideEffects'],
    ['publishConfig', undefined, 'publishConfig.access is not public'],
    ['files', undefined, 'files are not'],
    ['files', ['dist', 'src'], 'files are not'],
    ['scripts', {}, 'scripts.prepack does not build'],
    ['exports', { '.': { ...door, types: './dist/other.d.ts' } }, 'exports . does not lead to'],
    ['exports', { '.': { types: door.types, default: door.default } }, 'exports . has not testudo-source'],
    [
      'exports',
      { '.': door, './testing': { 'testudo-source': './src/testing/index.ts' } },
      'exports ./testing has not testudo-source, types, default',
    ],
    ['dependencies', { '@testudo/a': '^1.0.0' }, 'depends on another @testudo/a than 1.0.0'],
  ])('%s %j', (field, value, expected) => {
    const problems = checkManifests(
      workspaceWith({ 'packages/a/package.json': { ...MANIFEST, [field]: value } }),
    );
    expect(problems.join('\n')).toContain('packages/a/package.json: ');
    expect(problems.join('\n')).toContain(expected);
  });

  test('sorted so that another condition comes first', () => {
    const { types, default: script, 'testudo-source': source } = MANIFEST.exports['.'];
    const exports = { '.': { types, 'testudo-source': source, default: script } };
    expect(checkManifests(workspaceWith({ 'packages/a/package.json': { ...MANIFEST, exports } }))).toEqual([
      expect.stringContaining('has not testudo-source, types, default'),
    ]);
  });
});

describe('what stands beside a manifest', () => {
  test.each([
    ['packages/a/LICENSE', undefined, 'is not that of the project'],
    ['packages/a/LICENSE', 'another', 'is not that of the project'],
    ['packages/a/README.md', undefined, 'has no README.md'],
    ['packages/a/README.md', '# a\n', 'has no example'],
    ['packages/a/README.md', `${README}[more](../b.md)\n`, 'links to ../b.md'],
    ['package.json', { ...WORKSPACE, private: false }, 'must stay private'],
  ])('%s as %j', (name, content, expected) => {
    expect(checkManifests(workspaceWith({ [name]: content }))).toEqual([expect.stringContaining(expected)]);
  });
});

test('five packages are published; the workspace and the programs that tests run are private', () => {
  expect(publishedPackages(resolve('.')).map(({ manifest }) => manifest.name)).toEqual([
    '@testudo/codec',
    '@testudo/crypto',
    '@testudo/x509',
    '@testudo/tls',
    'testudo',
  ]);
  for (const name of ['package.json', 'conformance/programs/package.json'])
    expect(JSON.parse(readFileSync(name, 'utf8')).private, name).toBe(true);
});
