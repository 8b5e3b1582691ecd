import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDocuments } from './documents.mjs';

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'documents-'));
  mkdirSync(join(root, 'packages', 'tls'), { recursive: true });
  writeFileSync(join(root, 'packages', 'tls', 'a.ts'), '');
});
afterEach(() => rmSync(root, { recursive: true }));

test('files that are there may be named', () => {
  writeFileSync(
    join(root, 'A.md'),
    '`packages/tls/a.ts`, [the package](packages/tls) and [more](packages/tls/#x)\n',
  );
  expect(checkDocuments(root)).toEqual([]);
});

test('files that are not there may not', () => {
  writeFileSync(join(root, 'A.md'), 'text\n`packages/tls/b.ts` and [more](docs/c.md)\n');
  expect(checkDocuments(root)).toEqual([
    'A.md:2: names packages/tls/b.ts, which is not there',
    'A.md:2: names docs/c.md, which is not there',
  ]);
});

test('other words in code, and links elsewhere, are no files', () => {
  writeFileSync(
    join(root, 'A.md'),
    '`tls13/client.ts`, `npm start`, [RFC](https://example.com/x), [up](#top)\n',
  );
  expect(checkDocuments(root)).toEqual([]);
});
