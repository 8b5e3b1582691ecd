import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { withLock } from './file-lock.ts';

afterAll(removeFolders);

test('one after the other, and nothing is left', async () => {
  const file = join(folderWith(), 'database.json');
  let inside = 0;
  const order = await Promise.all(
    [1, 2, 3].map((number) =>
      withLock(file, async () => {
        expect(++inside).toBe(1);
        expect(readFileSync(`${file}.lock`, 'utf8')).toBe(String(process.pid));
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
        return number;
      }),
    ),
  );
  expect(order).toEqual([1, 2, 3]);
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('work that fails lets go, too', async () => {
  const file = join(folderWith(), 'database.json');
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(file, async () => 'again')).toBe('again');
});

test('a process that died is waited for by nobody', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const file = join(folderWith({ 'database.json.lock': String(pid) }), 'database.json');
  expect(await withLock(file, async () => 'mine')).toBe('mine');
});

test('a folder that is not there is one clear line', async () => {
  const file = join(folderWith(), 'none', 'database.json');
  await expect(withLock(file, async () => 1)).rejects.toThrow(
    /^cannot write .*database\.json\.lock: there is no such/,
  );
});

test('one that lives is told by its number when it does not end', { timeout: 30_000 }, async () => {
  const folder = folderWith();
  const file = join(folder, 'database.json');
  writeFileSync(`${file}.lock`, String(process.pid));
  await expect(withLock(file, async () => 1)).rejects.toThrow(
    `${file} is in use by process ${process.pid}: wait for it, or remove ${file}.lock if it is gone`,
  );
});
