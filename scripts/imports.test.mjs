import { describe, expect, test } from 'vitest';
import { findGlobals, findImports } from './imports.mjs';

const specifiers = (source) => findImports(source).map(({ specifier }) => specifier);
const globals = (source) => findGlobals(source, new Set(['process', 'Buffer'])).map(({ name }) => name);

describe('findImports finds', () => {
  test.each([
    ['side effects', "import 'a';", ['a']],
    ['a default and names', "import a, { b as c, type D } from 'a';", ['a']],
    ['a namespace', "import * as a from 'a'", ['a']],
    ['types', "import type { A } from 'a';", ['a']],
    ['a binding called from', "import from from 'a';", ['a']],
    ['names over several lines', "import {\n  a,\n  // why\n  b,\n} from 'a';", ['a']],
    ['attributes', "import a from './a.json' with { type: 'json' };", ['./a.json']],
    ['re-exports', "export * from 'a'; export * as b from 'b'; export { c } from 'c';", ['a', 'b', 'c']],
    ['re-exported types', "export type { A } from 'a'; export type * from 'b';", ['a', 'b']],
    ['dynamic imports', "const a = await import('a');", ['a']],
    ['dynamic imports of a plain template', 'await import(`a`);', ['a']],
    ['types in place', "let a: import('a').A | typeof import('b');", ['a', 'b']],
    ['require', "const a = require('a');", ['a']],
    ['import = require', "import a = require('a');", ['a']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
    ['code inside a template', "`${await import('a')} ' ${`${require('b')}`}`", ['a', 'b']],
    ['what follows a regular expression with quotes', "x = /['\"`/*]/.test(y); import 'a';", ['a']],
    ['what follows a division', "x = bytes[i]! / 2; y = (a) / b; import 'a'; z = 1 / 2;", ['a']],
    ['what follows an apostrophe in JSX text', "<p>don't</p>;\nimport 'a';", ['a']],
    ['both sides of a choice', "a ? import('a') : require('b')", ['a', 'b']],
    ['a computed name, as unknown', 'await import(name);', [undefined]],
  ])('%s', (_, source, expected) => expect(specifiers(source)).toEqual(expected));

  test('the line of each', () => {
    const source = "/* one\n two */\n'a\\\nb';\n`x\ny`;\nimport 'a';";
    expect(findImports(source)).toEqual([{ specifier: 'a', line: 7 }]);
  });
});

describe('findImports is not fooled by', () => {
  test.each([
    ['comments', "// import 'a';\n/* import 'b'; */\n/** {@link import('c')} */"],
    ['strings', 'const text = "import \'a\'"; const more = \'require("b")\';'],
    ['templates', "`import 'a'; require('b')`"],
    ['regular expressions', "/import 'a'/.test(text)"],
    ['members', "a.import('a'); a.require('b'); this.#import('c'); import.meta.url;"],
    ['exports without from', "export { a };\nconst text = 'a'; export const from = 'b'; export default 'c';"],
    [
      'methods',
      'class A { import(a: (b) => c): D { } async require(a) { } } interface E { import(a: F): G }',
    ],
    ['properties', "const a = { import: 'a', from: 'b' };"],
  ])('%s', (_, source) => expect(specifiers(source)).toEqual([]));
});

describe('findGlobals', () => {
  test.each([
    ['calls and members', 'process.exit(1); Buffer.from(a);', ['process', 'Buffer']],
    ['types', 'let a: Buffer | undefined;', ['Buffer']],
    ['globalThis', 'globalThis.process; globalThis?.Buffer', ['process', 'Buffer']],
    [
      'values, spread, in a conditional, in a template',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
      'x = a ? process : b; [...process]; `${process.pid}`',
      ['process', 'process', 'process'],
    ],
  ])('finds %s', (_, source, expected) => expect(globals(source)).toEqual(expected));

  test.each([
    ['members', 'a.process; a?.process; this.#process; a.Buffer'],
    ['keys and methods', 'const a = { process: 1, Buffer: 2 }; class B { process(message) {} }'],
    ['comments and strings', "// process\n'Buffer'; `process`"],
    ['other words', 'processes; ArrayBuffer; BufferSource'],
  ])('leaves out %s', (_, source) => expect(globals(source)).toEqual([]));
});
