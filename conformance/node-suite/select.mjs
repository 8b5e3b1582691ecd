// Which tests of Node's own tree can say something about another TLS stack, and why the others cannot.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Each test belongs to the first kind whose words it meets. */
const KINDS = [
  ['tls', (name) => name.startsWith('test-tls')],
  ['https', (name) => name.startsWith('test-https')],
  ['http2', (name, text) => /^test-(http2|h2)/.test(name) && USES_TLS.test(text)],
  ['others', (name, text) => !/^test-(http2|h2|crypto|quic|x509)/.test(name) && USES_TLS.test(text)],
];
const USES_TLS =
  /createSecureServer|(require\(|from )'(node:)?(tls|https)'|connect\((`|')https:|tls\.connect\(/;

const LEFT_OUT = [
  [/--expose[-_]internals/, 'needs --expose-internals'],
  [/require\('internal\/|internalBinding|process\.binding\(/, "reads Node's internals"],
  [/common\.gcUntil|onGC\(|--expose-gc/, 'watches the memory of the built-in'],
  [/opensslCli/, "needs Node's own openssl-cli"],
  [/--inspect|require\('(node:)?inspector/, "needs Node's inspector"],
  [/--permission/, "is about Node's permissions"],
  [/createSecurePair|_tls_legacy/, 'is about what Node has removed'],
];

/**
 * The tests of a tree, sorted by name.
 *
 * @param {string} tree the folder `test` of Node's repository, or the repository
 * @returns {{ name: string, kind: string, file: string, flags: string[], env: object, leftOut?: string }[]}
 *   `leftOut` is the reason why a test is not run
 * @throws {Error} if there are no such tests in the folder
 */
export function selectTests(tree) {
  const top = existsSync(join(tree, 'test', 'parallel')) ? join(tree, 'test') : tree;
  if (!existsSync(join(top, 'parallel'))) throw new Error(`${tree} holds no tests of Node`);
  return ['parallel', 'sequential']
    .flatMap((folder) => readdirSync(join(top, folder)).map((file) => join(top, folder, file)))
    .filter((file) => /\.[cm]?js$/.test(file))
    .flatMap((file) => describe(file))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describe(file) {
  const name = basename(file).replace(/\.[cm]?js$/, '');
  if (!name.startsWith('test-')) return [];
  const text = readFileSync(file, 'utf8');
  const kind = KINDS.find(([, isOfKind]) => isOfKind(name, text))?.[0];
  if (kind === undefined) return [];
  const leftOut = LEFT_OUT.find(([words]) => words.test(text))?.[1];
  return [{ name, kind, file, ...metadata(text), ...(leftOut === undefined ? {} : { leftOut }) }];
}

/** The flags and variables that a test wants, which stand in comments at its head. */
function metadata(text) {
  const flags = /^\/\/ Flags:(.*)$/m.exec(text)?.[1].trim().split(/\s+/) ?? [];
  const pairs = /^\/\/ Env:(.*)$/m.exec(text)?.[1].trim().split(/\s+/) ?? [];
  return { flags, env: Object.fromEntries(pairs.map((pair) => pair.split('='))) };
}
