import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from './base64.ts';
import { utf8 } from './bytes.ts';
import { DecodeError } from './errors.ts';

// RFC 4648 §10
test.each([
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
])('encodes and decodes "%s"', (text, base64) => {
  expect(toBase64(utf8(text))).toBe(base64);
  expect(fromBase64(base64)).toEqual(utf8(text));
  expect(toBase64Url(utf8(text))).toBe(base64.replaceAll('=', ''));
});

test('agrees with Node on any bytes, in both alphabets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    }),
  );
});

describe('refuses', () => {
  test.each([
    ['missing padding', 'Zg'],
    ['too much padding', 'Zg==='],
    ['padding alone', '===='],
    ['padding inside', 'Zg==Zg=='],
    ['white space', 'Zm9v\n'],
    ['white space that fills a group', 'Zm9vY g='],
    ['the other alphabet', '__-_'],
    ['characters beyond ASCII', 'Zm9é'],
    ['unused bits that are set', 'Zh=='],
    ['unused bits that are set, in two bytes', 'Zm9='],
  ])('%s', (_, text) => {
    expect(() => fromBase64(text)).toThrow(DecodeError);
  });

  test.each([
    ['padding', 'Zg=='],
    ['a single digit over', 'Zm9vY'],
    ['the other alphabet', '//+/'],
  ])('%s, in base64url', (_, text) => {
    expect(() => fromBase64Url(text)).toThrow(DecodeError);
  });

  test('every other text for the same bytes', () => {
    fc.assert(
      fc.property(fc.base64String({ maxLength: 40 }), (text) => {
        let bytes: Uint8Array;
        try {
          bytes = fromBase64(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        expect(toBase64(bytes)).toBe(text);
      }),
    );
  });
});
