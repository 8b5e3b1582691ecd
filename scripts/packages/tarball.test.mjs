import { describe, expect, test } from 'vitest';
import { checkTarball } from './tarball.mjs';

const MANIFEST = {
  exports: { '.': { 'testudo-source': './src/a.ts', types: './dist/a.d.ts', default: './dist/a.js' } },
};
const SOUND = {
  'package.json': JSON.stringify(MANIFEST),
  'README.md': '',
  LICENSE: '',
  'dist/a.js': 'a;\n//# sourceMappingURL=a.js.map',
  'dist/a.js.map': JSON.stringify({ sources: ['../src/a.ts'] }),
  'dist/a.d.ts': '//# sourceMappingURL=a.d.ts.map',
  'dist/a.d.ts.map': JSON.stringify({ sourceRoot: '', sources: ['../src/a.ts'] }),
  'src/a.ts': '',
};

function problemsWith(changes) {
  const files = { ...SOUND, ...changes };
  const names = Object.keys(files).filter((name) => files[name] !== undefined);
  return checkTarball(names, (name) => files[name]);
}

test('a sound tarball', () => expect(problemsWith({})).toEqual([]));

describe('a tarball is not sound', () => {
  test.each([
    ['without a licence', { LICENSE: undefined }, 'lacks LICENSE'],
    ['without a README', { 'README.md': undefined }, 'lacks README.md'],
    ['with a test', { 'src/a.test.ts': '' }, 'holds src/a.test.ts, which is for tests'],
    ['with a built test', { 'dist/a.test.d.ts': '' }, 'holds dist/a.test.d.ts, which is for tests'],
    [
      'with what tests share',
      { 'src/testing/index.ts': '' },
      'holds src/testing/index.ts, which is for tests',
    ],
    ['with vectors', { 'dist/vectors/a.json': '' }, 'which is for tests'],
    ['with more at its top', { 'tsconfig.json': '{}' }, 'holds tsconfig.json, which nobody needs'],
    [
      'whose map leads away',
      { 'dist/a.js.map': JSON.stringify({ sources: ['../src/b.ts'] }) },
      '../src/b.ts',
    ],
    [
      'whose map leads out of it',
      { 'dist/a.d.ts.map': JSON.stringify({ sourceRoot: '/home/me/', sources: ['src/a.ts'] }) },
      'dist/a.d.ts.map points to src/a.ts, which it does not hold',
    ],
    ['whose map is missing', { 'dist/a.js.map': undefined }, 'names its map a.js.map'],
    ['whose door leads nowhere', { 'dist/a.js': undefined }, 'exports . default leads to ./dist/a.js'],
    [
      'with a door for tests',
      { 'package.json': JSON.stringify({ exports: { './testing': './src/a.ts' } }) },
      'has the door ./testing, which is for tests',
    ],
    [
      'whose program is missing',
      { 'package.json': JSON.stringify({ bin: { a: 'bin/a.mjs' } }) },
      'lacks bin/a.mjs, which it says to run',
    ],
  ])('%s', (_, changes, expected) => {
    expect(problemsWith(changes)).toEqual([expect.stringContaining(expected)]);
  });
});
