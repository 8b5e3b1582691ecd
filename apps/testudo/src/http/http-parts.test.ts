import { describe, expect, test } from 'vitest';
import { parseRange } from './byte-range.ts';
import { isNotModified, preconditionHolds, rangeApplies } from './conditions.ts';
import { contentTypeOf } from './content-types.ts';
import { pathSegments } from './folder-path.ts';
import { endToEnd, flat, valuesOf } from './header-fields.ts';

describe('a Range header over 100 bytes', () => {
  test.each([
    ['bytes=0-9', { start: 0, end: 9 }],
    ['bytes=90-', { start: 90, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-1000', { start: 0, end: 99 }],
    ['bytes=0-1000', { start: 0, end: 99 }],
    ['BYTES=5-5', { start: 5, end: 5 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
  ])('%s', (header, range) => expect(parseRange(header, 100)).toEqual(range));

  test.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=9-5',
    'bytes=0-1,5-6',
    'items=0-1',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=--5',
  ])('%s is ignored', (header) => expect(parseRange(header, 100)).toBeUndefined());

  test('no part of an empty file can be had', () => expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable'));
});

describe('conditions', () => {
  const file = { etag: '"a"', lastModified: new Date('2026-01-02T03:04:05.678Z') };
  const date = 'Fri, 02 Jan 2026 03:04:05 GMT';
  const before = 'Fri, 02 Jan 2026 03:04:04 GMT';

  test.each([
    [{ 'if-none-match': '"a"' }, true],
    [{ 'if-none-match': 'W/"a"' }, true],
    [{ 'if-none-match': '"x,y", "a"' }, true],
    [{ 'if-none-match': '*' }, true],
    [{ 'if-none-match': '"b"' }, false],
    [{ 'if-none-match': '"b"', 'if-modified-since': date }, false],
    [{ 'if-modified-since': date }, true],
    [{ 'if-modified-since': before }, false],
    [{ 'if-modified-since': 'yesterday' }, false],
    [{}, false],
  ])('not modified, with %j: %s', (headers, expected) => expect(isNotModified(headers, file)).toBe(expected));

  test.each([
    [{ 'if-match': '"a"' }, true],
    [{ 'if-match': 'W/"a"' }, false],
    [{ 'if-match': '"b"' }, false],
    [{ 'if-unmodified-since': before }, false],
    [{ 'if-unmodified-since': date }, true],
    [{}, true],
  ])('the same file, with %j: %s', (headers, expected) =>
    expect(preconditionHolds(headers, file)).toBe(expected),
  );

  test.each([
    [{ 'if-range': '"a"' }, true],
    [{ 'if-range': 'W/"a"' }, false],
    [{ 'if-range': '"b"' }, false],
    [{ 'if-range': date }, true],
    [{ 'if-range': before }, false],
    [{}, true],
  ])('a range of it, with %j: %s', (headers, expected) => expect(rangeApplies(headers, file)).toBe(expected));
});

test.each([
  ['a.HTML', 'text/html; charset=utf-8'],
  ['a.js', 'text/javascript; charset=utf-8'],
  ['a.tar.gz', 'application/gzip'],
  ['a.unknown', 'application/octet-stream'],
  ['Makefile', 'application/octet-stream'],
  ['constructor', 'application/octet-stream'],
  ['a.constructor', 'application/octet-stream'],
])('%s is %s', (name, type) => expect(contentTypeOf(name)).toBe(type));

describe('a path', () => {
  test.each([
    ['/', [], true],
    ['/a/b%20c', ['a', 'b c'], false],
    ['//a///b/', ['a', 'b'], true],
    ['/a?b/../c', ['a'], false],
    ['/%C3%A9', ['é'], false],
  ])('%s', (target, segments, isFolder) => expect(pathSegments(target)).toEqual({ segments, isFolder }));

  test.each([
    '',
    'a',
    '/..',
    '/a/../b',
    '/%2e%2e/a',
    '/.%2E',
    '/.',
    '/a%2fb',
    '/a%5cb',
    '/a\\b',
    '/%00',
    '/%',
    '/%zz',
    '/%ff',
    `/${'a'.repeat(5000)}`,
    'http://a/b',
  ])('%s leads nowhere', (target) => expect(pathSegments(target)).toBeUndefined());
});

describe('header fields', () => {
  test('of one connection stay on it, also those that Connection names', () => {
    const raw = [
      'Connection',
      'close, X-Own',
      'x-own',
      '1',
      'Keep-Alive',
      'x',
      'TE',
      'x',
      'Upgrade',
      'h2c',
      'HTTP2-Settings',
      'x',
      'Proxy-Authorization',
      'x',
      'Transfer-Encoding',
      'chunked',
      'Accept',
      'a',
      'accept',
      'b',
    ];
    expect(endToEnd(raw)).toEqual([
      ['Accept', 'a'],
      ['accept', 'b'],
    ]);
  });

  test('that protect are not dropped because Connection names them', () => {
    const raw = [
      'Connection',
      'Content-Length, Host, Authorization, Cookie',
      'Content-Length',
      '5',
      'Host',
      'a',
      'Authorization',
      'b',
      'Cookie',
      'c',
    ];
    expect(endToEnd(raw).map(([name]) => name)).toEqual([
      'Content-Length',
      'Host',
      'Authorization',
      'Cookie',
    ]);
  });

  test('are found whatever their case, and stay where they are', () => {
    const raw = ['Set-Cookie', 'a', 'set-cookie', 'b', '__proto__', 'c'];
    expect(valuesOf(raw, 'set-cookie')).toEqual(['a', 'b']);
    expect(flat(endToEnd(raw))).toEqual(raw);
  });
});
