import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// A bundler for browsers must find everything that the web door needs, and no module of Node's.

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));
const DOORS = [
  '@testudo/tls/web',
  '@testudo/tls',
  '@testudo/crypto/portable',
  '@testudo/x509',
  '@testudo/codec',
];

test('nothing that the web door reaches is a module of Node', () => {
  const { files, foreign } = walk(DOORS.map((door) => resolveDoor(door)!));
  expect(foreign).toEqual([]);
  // It went somewhere: into our packages, and into the libraries below them.
  for (const part of [
    'tls/src/web/stream-connection.ts',
    'tls/src/tls13/client.ts',
    'crypto/src/portable/rsa.ts',
  ])
    expect(files).toContain(join(PACKAGES, part));
  expect(files.filter((file) => file.includes('@noble')).length).toBeGreaterThan(5);
});

test('a module of Node would be found', () => {
  const { foreign } = walk([resolveDoor('@testudo/crypto/node')!]);
  expect(foreign).toContain('node:crypto');
});

function walk(roots: readonly string[]): { files: string[]; foreign: string[] } {
  const files = new Set<string>();
  const foreign = new Set<string>();
  const queue = [...roots];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of importsOf(file)) {
      const target = resolveFrom(file, specifier);
      if (target === undefined) foreign.add(specifier);
      else queue.push(target);
    }
  }
  return { files: [...files], foreign: [...foreign] };
}

/** What is imported when the program runs: `import type` and comments are gone by then. */
function importsOf(file: string): string[] {
  const code = readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/\b(?:import|export) type [^;]*;/g, '');
  const found = code.matchAll(/\b(?:from|import|require(?=\s*\())\s*\(?\s*['"]([^'"\n]+)['"]/g);
  return [...found].map((match) => match[1]!);
}

/** The file behind an import; undefined for a module of Node. */
function resolveFrom(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return resolve(file, '..', specifier);
  const door = resolveDoor(specifier);
  if (door !== undefined) return door;
  const found = createRequire(file).resolve(specifier);
  return found.startsWith('/') ? found : undefined;
}

function resolveDoor(specifier: string): string | undefined {
  const [, name, path] = /^@testudo\/(\w+)(?:\/(\w+))?$/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  const folder = join(PACKAGES, name);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, exports[path === undefined ? '.' : `./${path}`]['testudo-source']);
}
