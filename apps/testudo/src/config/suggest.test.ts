import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';
import { editDistance, suggestion } from './suggest.ts';

test.each([
  ['', '', 0],
  ['a', '', 1],
  ['kitten', 'sitting', 3],
  ['ca', 'ac', 1],
  ['certificat', 'certificate', 1],
])('from "%s" to "%s" it is %i edits', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test('the nearest word is suggested, whatever the case, and none that is far', () => {
  const known = ['listen', 'limits', 'certificate'];
  expect(suggestion('lisent', known)).toBe(' Did you mean "listen"?');
  expect(suggestion('Certificates', known)).toBe(' Did you mean "certificate"?');
  expect(suggestion('port', known)).toBe('');
});

test('a very long key costs nothing', () => {
  expect(editDistance('x'.repeat(1_000_000), 'listen')).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  ['10s', 10_000],
  ['500ms', 500],
  ['5m', 300_000],
  ['1.5h', 5_400_000],
  ['30d', 2_592_000_000],
  ['7', 7000],
])('%s is %i milliseconds', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

test.each(['', 's', '-1s', '1w', '1 0s', 'ten'])('"%s" is no duration', (text) =>
  expect(parseDuration(text)).toBeUndefined(),
);
