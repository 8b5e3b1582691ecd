import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from './bytes.ts';
import { DecodeError, EncodeError } from './errors.ts';
import { decodeOid, encodeOid } from './oid.ts';

test.each([
  ['1.2.840.113549.1.1.11', '2a864886f70d01010b'],
  ['2.5.29.17', '551d11'],
  ['2.999.3', '883703'], // X.690 §8.19.5
  ['0.9.2342.19200300.100.1.1', '0992268993f22c640101'],
  ['2.25.329800735698586629295641978511506172918', '69' + '83f09da7ebcfdee0c7a1a7b2c0948cc8f9d776'],
])('%s', (text, hex) => {
  expect(decodeOid(fromHex(hex))).toBe(text);
  expect(toHex(encodeOid(text))).toBe(hex);
});

test('any identifier survives encoding and decoding', () => {
  const arcs = fc.tuple(
    fc.oneof(
      fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: 39n })),
      fc.tuple(fc.constant(2n), fc.bigInt({ min: 0n, max: 2n ** 70n })),
    ),
    fc.array(fc.bigInt({ min: 0n, max: 2n ** 128n }), { maxLength: 5 }),
  );
  fc.assert(
    fc.property(arcs, ([first, others]) => {
      const text = [...first, ...others].join('.');
      expect(decodeOid(encodeOid(text))).toBe(text);
    }),
  );
});

test('bytes that decode are the only encoding of their text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      let text: string;
      try {
        text = decodeOid(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        return;
      }
      expect(encodeOid(text)).toEqual(bytes);
    }),
  );
});

describe('refuses', () => {
  test.each([
    ['nothing', ''],
    ['a cut arc', '2a86'],
    ['a padded arc', '2a8001'],
    ['a padded first arc', '8001'],
    ['an endless identifier', '2a'.repeat(200)],
  ])('%s', (_, hex) => {
    expect(() => decodeOid(fromHex(hex))).toThrow(DecodeError);
  });

  test.each(['', '1', '1.', '1.40', '3.1', '1.2.-3', '1.2.03', '1.2.x', ' 1.2', '1.2.1e3'])(
    'the text "%s"',
    (text) => {
      expect(() => encodeOid(text)).toThrow(EncodeError);
    },
  );
});
