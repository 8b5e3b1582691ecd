import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { LockBusy, withLock } from './file-lock.ts';
import { type LockOwner, lifeOf, ourselves, parseOwner } from './lock-owner.ts';

afterAll(removeFolders);

test('one after the other, and nothing is left', async () => {
  const folder = folderWith();
  const file = join(folder, 'database.json');
  let inside = 0;
  const order = await Promise.all(
    [1, 2, 3].map((number) =>
      withLock(file, async () => {
        expect(++inside).toBe(1);
        expect(parseOwner(readFileSync(`${file}.lock`, 'utf8'))?.pid).toBe(process.pid);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
        return number;
      }),
    ),
  );
  expect(order).toEqual([1, 2, 3]);
  expect(readdirSync(folder)).toEqual([]);
});

test('work that fails lets go, too', async () => {
  const file = join(folderWith(), 'database.json');
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(file, async () => 'again')).toBe('again');
});

test('a folder that is not there is one clear line', async () => {
  const file = join(folderWith(), 'none', 'database.json');
  await expect(withLock(file, async () => 1)).rejects.toThrow(
    /^cannot write .*database\.json\.lock: there is no such/,
  );
});

/** Waits that take seconds pass at once, one turn after the other. */
function withoutWaiting(): void {
  beforeEach(() => void vi.useFakeTimers({ toFake: [...CLOCK] }));
  afterEach(() => void vi.useRealTimers());
}

const CLOCK = ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;

/** What becomes of work within so many milliseconds. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  // Whoever fails meanwhile is heard of below.
  work.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(milliseconds);
  return await Promise.race([work, Promise.reject(new Error('is not done yet'))]);
}

describe('a lock is taken over', () => {
  withoutWaiting();
  const { pid: gone } = spawnSync(process.execPath, ['-e', '']);
  const text = (change: Partial<LockOwner>): string => JSON.stringify({ ...ourselves(), ...change });

  test.each([
    ['whose process ended', text({ pid: gone! })],
    ['whose process number was given again', text({ start: '1' })],
    // As in a container, where each start is process 1.
    ['whose process number was given again: 1', text({ pid: 1, start: '1' })],
    ['of before the machine was started', text({ boot: 'another' })],
    ['of a container that is gone', text({ pid: 1, start: '1', space: 'pid:[1]' })],
    ['of another machine that is silent', text({ boot: 'another', host: 'other' })],
    ['of a system that tells nothing', text({ pid: gone!, boot: null, start: null, space: null })],
    ['that is empty: the disk was full', ''],
    ['that is cut', text({}).slice(0, 20)],
    ['that somebody else wrote', '1234\n'],
    ['with the number of no process', text({ pid: -1 })],
  ])('%s', async (_, content) => {
    const folder = folderWith({ 'database.json.lock': content });
    expect(
      await within(
        6000,
        withLock(join(folder, 'database.json'), async () => 'mine'),
      ),
    ).toBe('mine');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('also where who took it over died at that moment', async () => {
    const dead = text({ pid: gone! });
    const folder = folderWith({ 'database.json.lock': dead, 'database.json.lock.removal': dead });
    expect(
      await within(
        6000,
        withLock(join(folder, 'database.json'), async () => 'mine'),
      ),
    ).toBe('mine');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a lock is respected', () => {
  withoutWaiting();

  test.each([
    ['of a process that lives', {}, `is in use by process ${process.pid}: `],
    [
      'of another container, while it gives signs of life',
      { pid: 1, space: 'pid:[1]' },
      'is in use by process 1 of another container or machine: ',
    ],
  ])('%s', async (_, change, message) => {
    const folder = folderWith({ 'a.lock': JSON.stringify({ ...ourselves(), ...change }) });
    const lock = join(folder, 'a.lock');
    const beat = setInterval(() => utimesSync(lock, new Date(), new Date()), 1000);
    const waiting = withLock(join(folder, 'a'), async () => 1);
    await expect(within(9000, waiting)).rejects.toThrow('is not done yet');
    await expect(within(1100, waiting)).rejects.toThrow(LockBusy);
    await expect(waiting).rejects.toThrow(message);
    clearInterval(beat);
    expect(existsSync(lock)).toBe(true);
  });

  test('that gives signs of life for as long as the work takes', async () => {
    const file = join(folderWith(), 'a');
    const first = () => statSync(`${file}.lock`).mtimeMs;
    await withLock(file, async () => {
      const signs = new Set([first()]);
      for (let second = 0; second < 20; second++) {
        await vi.advanceTimersByTimeAsync(1000);
        signs.add(first());
      }
      expect(signs.size).toBeGreaterThan(15);
    });
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test('of another one is not removed by who lost his own', async () => {
    const file = join(folderWith(), 'a');
    const other = JSON.stringify(ourselves());
    await withLock(file, async () => writeFileSync(`${file}.lock`, other));
    expect(readFileSync(`${file}.lock`, 'utf8')).toBe(other);
  });
});

describe('the life of an owner', () => {
  const here = ourselves();

  test('is that of the process with its number and its start', () => {
    expect(lifeOf(here, here)).toBe('alive');
    expect(lifeOf({ ...here, start: `${here.start}0` }, here)).toBe('dead');
    expect(lifeOf({ ...here, start: null }, here)).toBe('unclear');
  });

  test('has ended for a zombie', async () => {
    // The shell starts a process that ends at once, and becomes one that does not ask about it.
    const shell = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(shell.stdout!, 'data')) as [Buffer];
    const pid = Number(String(line));
    const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8');
    while (!/\) Z /.test(stat())) await new Promise((resolve) => setImmediate(resolve));
    const start = stat().split(') ')[1]!.split(' ')[19]!;
    expect(lifeOf({ ...here, pid, start }, here)).toBe('dead');
    shell.kill();
  });

  test.each([
    ['another machine', { boot: 'b', host: 'h' }, 'unclear'],
    ['this machine before it was started', { boot: 'b' }, 'dead'],
    ['another container', { space: 's' }, 'unclear'],
    ['a system that does not tell its boots', { boot: null }, 'unclear'],
  ] as const)('on %s', (_, change, expected) => expect(lifeOf({ ...here, ...change }, here)).toBe(expected));
});
