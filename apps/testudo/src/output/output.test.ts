import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLog } from './log.ts';
import { PLAIN, styleFor } from './style.ts';
import { pairs, table } from './table.ts';
import { bytes, count, day, fingerprintText, milliseconds, shown } from './text.ts';

const terminal = () => Object.assign(new PassThrough(), { isTTY: true });

describe('colours', () => {
  test.each([
    ['on a terminal', terminal(), {}, true],
    ['not in a file', new PassThrough(), {}, false],
    ['not with NO_COLOR', terminal(), { NO_COLOR: '1' }, false],
    ['with an empty NO_COLOR, which does not count', terminal(), { NO_COLOR: '' }, true],
    ['not on a dumb terminal', terminal(), { TERM: 'dumb' }, false],
    ['in a file with FORCE_COLOR', new PassThrough(), { FORCE_COLOR: '1' }, true],
    ['not with both', new PassThrough(), { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('%s', (_, stream, env, enabled) => expect(styleFor(stream, env).enabled).toBe(enabled));

  test('go around the text', () => {
    expect(styleFor(terminal(), {}).bad('x')).toBe('\u001b[31mx\u001b[39m');
    expect(PLAIN.bad('x')).toBe('x');
  });
});

test('columns line up, also with colours in them', () => {
  const { good } = styleFor(terminal(), {});
  expect(
    table(
      [{ title: 'a' }, { align: 'right' }],
      [
        [good('xxx'), '1'],
        ['x', '100'],
      ],
    ),
  ).toEqual(['a', `${good('xxx')}    1`, 'x    100']);
  expect(
    pairs([
      ['a', '1\n2'],
      ['bbb', undefined],
      ['cc', '3'],
    ]),
  ).toEqual(['a   1', '    2', 'cc  3']);
});

test('a text from a peer can do nothing to a terminal or a log', () => {
  expect(shown('a\u001b[2Jb\r\nc\u202ed\u2028\ud800')).toBe(
    'a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{202e}d\\u{2028}\\u{d800}',
  );
  expect(shown('x'.repeat(1000), 10)).toBe(`${'x'.repeat(9)}\u2026`);
  expect(shown('Grüße, 世界')).toBe('Grüße, 世界');
});

test('numbers are for people', () => {
  expect([
    count(1, 'record'),
    count(1234, 'record'),
    bytes(1234),
    milliseconds(1.234),
    milliseconds(12.34),
  ]).toEqual(['1 record', '1,234 records', '1,234 B', '1.23 ms', '12.3 ms']);
  expect(day(new Date('2026-01-02T23:59:59Z'))).toBe('2 Jan 2026');
  expect(fingerprintText('00ffab')).toBe('00:FF:AB');
});

describe('the log', () => {
  test('is JSON where nobody looks', () => {
    const stderr = new PassThrough();
    createLog({ stderr, env: {} }, 'info').warn({ a: 1 }, 'hello');
    const line = JSON.parse(String(stderr.read()));
    expect(line).toMatchObject({ level: 40, a: 1, msg: 'hello' });
    expect(line).not.toHaveProperty('hostname');
  });

  test('is readable on a terminal, and safe', () => {
    const stderr = terminal();
    createLog({ stderr, env: { NO_COLOR: '1' } }, 'info').warn({ reason: 'a\u001b[2J' }, 'hello');
    expect(String(stderr.read())).toMatch(/^\d\d:\d\d:\d\d warn {2}hello reason=a\\u\{1b\}\[2J\n$/);
  });

  test('says no more than it is asked to', () => {
    const stderr = new PassThrough();
    createLog({ stderr, env: {} }, 'error').warn('hello');
    expect(stderr.read()).toBeNull();
  });
});
