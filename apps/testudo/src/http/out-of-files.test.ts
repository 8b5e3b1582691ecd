import { open, realpath } from 'node:fs/promises';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { fetchFrom, startGateway, stopAll } from '../testing/test-gateway.ts';

// RFC 9110 §15.6.4: what could not be opened for now may well be there.

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return { ...real, open: vi.fn(real.open), realpath: vi.fn(real.realpath) };
});

afterEach(stopAll);
afterEach(() => void vi.clearAllMocks());
afterAll(removeFolders);

const calls = { open, realpath };
const failure = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'open' });

describe('a file that cannot be opened', () => {
  test.each([
    ['open', 'EMFILE'],
    ['open', 'ENFILE'],
    ['realpath', 'EMFILE'],
    ['realpath', 'ENFILE'],
  ] as const)('for want of free ones (%s: %s) is answered with 503, and served later', async (call, code) => {
    const folder = folderWith({ 'www/a.txt': 'text' });
    const site = await startGateway(['certificate: local\nfolder: www'], { folder });
    for (let i = 0; i < 3; i++) {
      vi.mocked(calls[call]).mockRejectedValueOnce(failure(code));
      const { status, body } = await fetchFrom(site, '/a.txt');
      expect(status).toBe(503);
      expect(body).toContain('Try again later');
    }
    expect(await fetchFrom(site, '/a.txt')).toMatchObject({ status: 200, body: 'text' });
    expect(site.lines()).toMatchObject([
      {
        level: 40,
        reason: expect.stringContaining('too many open files'),
        msg: expect.stringContaining('raise the limit'),
      },
      { level: 30, count: 2, msg: 'files can be opened again' },
    ]);
  });

  test.each([
    ['open', 'EACCES'],
    ['open', 'ENOENT'],
    ['open', 'ELOOP'],
    ['realpath', 'ENOENT'],
    ['realpath', 'EACCES'],
    ['realpath', 'ENAMETOOLONG'],
  ] as const)('for a reason of its own (%s: %s) is not there', async (call, code) => {
    const folder = folderWith({ 'www/a.txt': 'text' });
    const site = await startGateway(['certificate: local\nfolder: www'], { folder });
    vi.mocked(calls[call]).mockRejectedValueOnce(failure(code));
    expect((await fetchFrom(site, '/a.txt')).status).toBe(404);
    expect(site.lines()).toEqual([]);
  });
});
