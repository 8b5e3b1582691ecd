import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ascii, bytesEqual, concat, fromHex, fromLatin1, toHex, toLatin1, utf8 } from './bytes.ts';

test('hexadecimal survives, and white space and colons do not matter', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
    }),
  );
  expect(fromHex('DE:ad be\nef')).toEqual(Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
});

test.each(['0', '0g', '0x00', 'é0'])('"%s" is not hexadecimal', (text) => {
  expect(() => fromHex(text)).toThrow(RangeError);
});

test('bytes are equal when all of them are', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      expect(bytesEqual(a, b)).toBe(toHex(a) === toHex(b));
    }),
  );
  expect(bytesEqual(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
});

test('Latin-1 keeps every byte', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(fromLatin1(toLatin1(bytes))).toEqual(bytes);
    }),
  );
  expect(toLatin1(Uint8Array.of(0x41, 0xe9, 0xff))).toBe('Aéÿ');
});

test('parts are joined in order', () => {
  expect(toHex(concat(fromHex('01'), new Uint8Array(), fromHex('0203')))).toBe('010203');
});

test('ASCII shows what is not ASCII as replaced', () => {
  expect(ascii(utf8('aé'))).toBe('a\ufffd\ufffd');
});
