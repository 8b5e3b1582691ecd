import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkOptions, referenceOf, withReference } from './options.mjs';

const STALE = ['apps/testudo/README.md: its options are out of date: run npm run fix'];
const ROOT = join(import.meta.dirname, '..');
let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'options-'));
  cpSync(join(ROOT, 'apps/testudo/src'), join(root, 'apps/testudo/src'), { recursive: true });
  cpSync(join(ROOT, 'apps/testudo/README.md'), join(root, 'apps/testudo/README.md'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
});
afterEach(() => rmSync(root, { recursive: true }));

function edit(path, from, to) {
  const file = join(root, 'apps/testudo', path);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

test('the README is what the schema says', async () => {
  expect(await checkOptions(root)).toEqual([]);
});

test.each([
  ['a default', 'src/config/schema.ts', ".prefault('10s')", ".prefault('20s')"],
  ['a meaning', 'src/config/schema.ts', "'how much is logged'", "'what is logged'"],
  ['a limit', 'src/config/limits.ts', 'standard: 10_000', 'standard: 20_000'],
  ['an option', 'src/config/listener-schema.ts', '  strictSni: flag', '  veryStrictSni: flag'],
  ['the README', 'README.md', '| `drain` |', '| `drane` |'],
])('another %s makes it stale', async (_, path, from, to) => {
  edit(path, from, to);
  expect(await checkOptions(root)).toEqual(STALE);
});

test('a README without a place for the options is an error', async () => {
  edit('README.md', '<!-- end of the options -->', '');
  await expect(checkOptions(root)).rejects.toThrow('has no place for the options');
});

test('a table for each group; what would end a cell is escaped', () => {
  const option = {
    form: 'text',
    isRequired: false,
    standard: '`x`',
    meaning: 'a|b',
    services: ['proxy', 'echo'],
  };
  expect(
    referenceOf([
      { name: '', options: [{ ...option, name: 'one' }] },
      { name: 'more', options: [{ ...option, name: 'two', isRequired: true, services: [] }] },
    ]),
  ).toBe(
    `### At the top of the file

| option | value | default | meaning |
|---|---|---|---|
| \`one\` | text | \`x\` | a\\|b (proxy, echo) |

### more

| option | value | default | meaning |
|---|---|---|---|
| \`two\` | text | required | a\\|b |
`,
  );
});

test('what was there before is replaced, and nothing else', () => {
  const readme = readFileSync(join(root, 'apps/testudo/README.md'), 'utf8');
  const once = withReference(readme, 'text\n');
  expect(withReference(once, 'text\n')).toBe(once);
  expect(once.split('text\n')[0]).toBe(readme.slice(0, once.indexOf('\n\ntext\n') + 2));
});
