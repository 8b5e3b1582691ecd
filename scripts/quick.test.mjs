import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the quick tests come from every package, and start no program', async () => {
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'list',
    '--filesOnly',
    '--config',
    'vitest.quick.config.ts',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, vitest);
  const files = stdout.trim().split('\n');
  for (const folder of ['packages/codec', 'packages/crypto', 'packages/x509', 'packages/tls', 'apps/testudo'])
    expect(files.filter((file) => file.startsWith(`${folder}/`)).length, folder).toBeGreaterThan(5);
  // Names in the list that no file has any more would be left out without a word.
  for (const name of ['alpn', 'errors', 'https', 'options', 'sessions', 'verification'])
    expect(
      files.filter((file) => file.includes('/tls/src/node/') && file.endsWith(`/${name}.test.ts`)),
      name,
    ).toHaveLength(1);
  const starting = files.filter((file) => /child_process|requireProgram/.test(readFileSync(file, 'utf8')));
  expect(starting).toEqual([]);
});
