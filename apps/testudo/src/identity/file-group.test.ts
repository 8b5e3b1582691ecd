import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { mendGroup, type NewFile, writeGroup } from './file-group.ts';
import { ourselves } from './lock-owner.ts';

afterAll(removeFolders);

const { pid: gone } = spawnSync(process.execPath, ['-e', '']);
const DEAD = JSON.stringify({ ...ourselves(), pid: gone });
const STAGE = '.a.pem.new';
const group = (folder: string): NewFile[] => [
  { file: join(folder, 'a-key.pem'), content: 'key', isSecret: true },
  { file: join(folder, 'a.pem'), content: 'certificate', isSecret: false },
];
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

describe('a group of files', () => {
  test('is there with the right modes, and nothing else', () => {
    const folder = folderWith();
    writeGroup(group(folder));
    expect(contents(folder)).toEqual({ 'a-key.pem': 'key', 'a.pem': 'certificate' });
    const modes = ['a-key.pem', 'a.pem'].map((name) => statSync(join(folder, name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o644]);
  });

  test.each(['a-key.pem', 'a.pem'])('overwrites nothing: %s is there, and nothing is added', (name) => {
    const folder = folderWith({ [name]: 'mine' });
    expect(() => writeGroup(group(folder))).toThrow(
      `${join(folder, name)} already exists and is never overwritten`,
    );
    expect(contents(folder)).toEqual({ [name]: 'mine' });
  });

  test('in a folder that is not there says so', () => {
    expect(() => writeGroup(group('/nowhere'))).toThrow(
      'cannot write /nowhere/a.pem: there is no such file or directory',
    );
  });
});

describe('what a process left that was ended', () => {
  const key = { [`${STAGE}/a-key.pem`]: 'key' };
  const both = { ...key, [`${STAGE}/a.pem`]: 'certificate' };
  const owner = { [`${STAGE}/owner`]: DEAD };

  test.each([
    ['before anything was in place', { ...owner, ...both }, {}],
    ['while it wrote', { ...owner, ...key, [`${STAGE}/a.pem`]: 'cert' }, {}],
    ['between the two', { ...owner, ...both, 'a-key.pem': 'key' }, {}],
    ['when both were there', { ...owner, ...both, 'a-key.pem': 'key', 'a.pem': 'certificate' }, null],
    [
      'beside a key that is somebody else\u2019s',
      { ...owner, ...both, 'a-key.pem': 'mine' },
      { 'a-key.pem': 'mine' },
    ],
    [
      'with a file that was not written yet',
      { ...owner, [`${STAGE}/a-key.pem`]: '', 'a-key.pem': '' },
      { 'a-key.pem': '' },
    ],
  ])('%s', (_, files, expected) => {
    const folder = folderWith(files);
    mendGroup(join(folder, 'a.pem'));
    expect(contents(folder)).toEqual(expected ?? { 'a-key.pem': 'key', 'a.pem': 'certificate' });
  });

  test('is no hindrance for the next one', () => {
    const folder = folderWith({
      ...owner,
      ...both,
      'a-key.pem': 'old key',
      [`${STAGE}/a-key.pem`]: 'old key',
    });
    writeGroup(group(folder));
    expect(contents(folder)).toEqual({ 'a-key.pem': 'key', 'a.pem': 'certificate' });
  });

  test('of another container is waited for only as long as it can take', () => {
    const owner = JSON.stringify({ ...ourselves(), space: 'pid:[1]' });
    const folder = folderWith({ [`${STAGE}/owner`]: owner });
    expect(() => writeGroup(group(folder))).toThrow('another process is writing');
    const old = new Date(Date.now() - 60_000);
    utimesSync(join(folder, STAGE), old, old);
    writeGroup(group(folder));
    expect(readdirSync(folder)).toEqual(['a-key.pem', 'a.pem']);
  });

  test('is not touched while that process lives', () => {
    const folder = folderWith({
      ...both,
      [`${STAGE}/owner`]: JSON.stringify(ourselves()),
      'a-key.pem': 'key',
    });
    expect(() => mendGroup(join(folder, 'a.pem'))).toThrow(
      `another process is writing ${join(folder, 'a.pem')} at this moment`,
    );
    expect(readFileSync(join(folder, 'a-key.pem'), 'utf8')).toBe('key');
    writeFileSync(join(folder, STAGE, 'owner'), DEAD);
    mendGroup(join(folder, 'a.pem'));
    expect(readdirSync(folder)).toEqual([]);
  });
});
