import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import {
  type Answer,
  fetchFrom,
  rawExchange,
  startGateway,
  stopAll,
  type TestGateway,
} from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

let folder: string;
let site: TestGateway;

beforeEach(async () => {
  folder = folderWith({
    'secret.txt': 'outside',
    'www/index.html': '<h1>home</h1>',
    'www/a.txt': '0123456789',
    'www/empty.txt': '',
    'www/data.unknown': 'x',
    'www/sub/index.html': 'sub',
    'www/sub/b c.txt': 'spaced',
    'www/bare/x.txt': 'x',
    'www/.env': 'hidden',
    'www/.git/config': 'hidden',
    'www-other/x.txt': 'neighbour',
  });
  const at = (name: string): string => join(folder, 'www', name);
  symlinkSync('a.txt', at('inside-link.txt'));
  symlinkSync('../secret.txt', at('outside-link.txt'));
  symlinkSync('..', at('outside-folder'));
  symlinkSync('../www-other', at('neighbour'));
  symlinkSync('.env', at('dot-link.txt'));
  symlinkSync('/etc/passwd', at('absolute-link'));
  symlinkSync('loop', at('loop'));
  site = await startGateway(['certificate: local\nfolder: www\nhsts: { maxAge: 1h }'], { folder });
});

const get = (path: string, options: Parameters<typeof fetchFrom>[2] = {}): Promise<Answer> =>
  fetchFrom(site, path, options);

describe('files', () => {
  test.each([
    ['/', '<h1>home</h1>', 'text/html; charset=utf-8'],
    ['/a.txt', '0123456789', 'text/plain; charset=utf-8'],
    ['/a.txt?query#x', '0123456789', 'text/plain; charset=utf-8'],
    ['/sub/', 'sub', 'text/html; charset=utf-8'],
    ['/sub/b%20c.txt', 'spaced', 'text/plain; charset=utf-8'],
    ['/data.unknown', 'x', 'application/octet-stream'],
    ['/inside-link.txt', '0123456789', 'text/plain; charset=utf-8'],
    ['/empty.txt', '', 'text/plain; charset=utf-8'],
  ])('%s', async (path, body, type) => {
    const answer = await get(path);
    expect(answer).toMatchObject({ status: 200, body });
    expect(answer.headers).toMatchObject({
      'content-type': type,
      'content-length': String(body.length),
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=3600',
      'accept-ranges': 'bytes',
    });
  });

  test('HEAD has the headers of GET, and no body', async () => {
    const answer = await get('/a.txt', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers['content-length']).toBe('10');
  });

  test('a folder without its slash leads to the one with it, on this host', async () => {
    expect((await get('/sub?x=1')).headers['location']).toBe('/sub/?x=1');
    expect((await get('//sub')).headers['location']).toBe('/sub/');
    expect(await get('/sub')).toMatchObject({ status: 308 });
  });

  test('only GET and HEAD', async () => {
    const answer = await get('/a.txt', { method: 'POST', body: 'x' });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });
});

describe('a client that has the file', () => {
  test('is told that it is still good', async () => {
    const { headers } = await get('/a.txt');
    const etag = String(headers['etag']);
    expect(await get('/a.txt', { headers: { 'If-None-Match': etag } })).toMatchObject({
      status: 304,
      body: '',
    });
    expect(
      await get('/a.txt', { headers: { 'If-Modified-Since': String(headers['last-modified']) } }),
    ).toMatchObject({ status: 304 });
    writeFileSync(join(folder, 'www/a.txt'), '012345678X');
    utimesSync(join(folder, 'www/a.txt'), new Date(), new Date(Date.now() + 5000));
    expect(await get('/a.txt', { headers: { 'If-None-Match': etag } })).toMatchObject({
      status: 200,
      body: '012345678X',
    });
    expect(await get('/a.txt', { headers: { 'If-Match': etag } })).toMatchObject({ status: 412 });
  });

  test('can have a part of it', async () => {
    const answer = await get('/a.txt', { headers: { Range: 'bytes=2-4' } });
    expect(answer).toMatchObject({ status: 206, body: '234' });
    expect(answer.headers).toMatchObject({ 'content-range': 'bytes 2-4/10', 'content-length': '3' });
    const behind = await get('/a.txt', { headers: { Range: 'bytes=10-' } });
    expect(behind.status).toBe(416);
    expect(behind.headers['content-range']).toBe('bytes */10');
    expect(await get('/a.txt', { headers: { Range: 'bytes=2-4', 'If-Range': '"old"' } })).toMatchObject({
      status: 200,
    });
  });
});

describe('what must not be served', () => {
  test.each([
    ['/none.txt', 404],
    ['/bare/', 404],
    ['/bare', 404],
    ['/a.txt/', 404],
    ['/.env', 404],
    ['/.git/config', 404],
    ['/dot-link.txt', 404],
    ['/outside-link.txt', 404],
    ['/outside-folder/secret.txt', 404],
    ['/neighbour/x.txt', 404],
    ['/absolute-link', 404],
    ['/loop', 404],
    ['/sub/%2e%2e/%2e%2e/secret.txt', 400],
    ['/..%2fsecret.txt', 400],
    ['/%2e%2e%5csecret.txt', 400],
    ['/a.txt%00.html', 400],
  ])('%s', async (path, status) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toMatch(/outside|hidden|neighbour|root:/);
  });

  test('paths that a client would clean up first', async () => {
    for (const path of ['/../secret.txt', '/sub/../../secret.txt', '/./../secret.txt', '/..\\secret.txt']) {
      const answer = await rawExchange(
        site,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).not.toContain('outside');
    }
  });

  test('a FIFO, which would never end', async () => {
    execFileSync('mkfifo', [join(folder, 'www/fifo')]);
    expect(await get('/fifo')).toMatchObject({ status: 404 });
  });
});

test('dotfiles are served where that is asked for, and still nothing outside', async () => {
  mkdirSync(join(folder, 'www/.well-known'));
  const open = await startGateway(['certificate: local\nfolder: www\ndotfiles: true'], { folder });
  expect(await fetchFrom(open, '/.env')).toMatchObject({ status: 200, body: 'hidden' });
  expect(await fetchFrom(open, '/outside-link.txt')).toMatchObject({ status: 404 });
});

test('the root of the file system can be the folder', async () => {
  const all = await startGateway(['certificate: local\nfolder: /'], { folder });
  expect(await fetchFrom(all, `${folder}/www/a.txt`)).toMatchObject({ status: 200, body: '0123456789' });
});
