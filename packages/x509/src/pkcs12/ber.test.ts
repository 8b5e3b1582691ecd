import { DecodeError, type DerReader, fromHex, toHex } from '@testudo/codec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBer } from './ber.ts';

const whole = (reader: DerReader): string => toHex(reader.whole());
const der = (hex: string): string => decodeBer(fromHex(hex), whole);

// X.690 §8.1.3.6, §8.7.3.2; the right side is what DER has for it.
test.each([
  ['DER', '3003020101', '3003020101'],
  ['an indefinite length', '30800201010000', '3003020101'],
  ['indefinite lengths inside', '3080308002010100000000', '30053003020101'],
  ['a string in parts', '30802480040201020401030000 0000', '30050403010203'],
  ['a string in parts of definite length', '3080240704020102040103 0000', '30050403010203'],
  ['a string in no parts', '3080248000000000', '30020400'],
  ['strings inside strings', '30802480248004010100000401020000 0000', '300404020102'],
  ['an implicit string in parts', '3080a0800401010401020000 0000', '300480020102'],
  ['a value in [0]', '3080a0800401010000 0000', '3005a003040101'],
  ['needless bytes in a length', '308002820001010000', '3003020101'],
])('%s becomes DER', (_, ber, expected) => {
  expect(der(ber)).toBe(expected);
});

describe('refuses', () => {
  test.each([
    ['no end', '3080020101'],
    ['half an end', '308002010100'],
    ['bytes behind the end', '3080020101000000'],
    ['a primitive value of indefinite length', '30800480040101000000 00'],
    ['a string of something else', '3080248002010100000000'],
    ['a length beyond the end', '30800205010000'],
    ['a length that is cut', '308002830000'],
    ['a high tag number', '30801f810100 0000'],
    ['nesting without end', '3080'.repeat(100)],
    ['nothing', ''],
  ])('%s', (_, ber) => {
    expect(() => der(ber)).toThrow(DecodeError);
  });

  test('any other bytes with a typed error only', () => {
    const piece = fc.constantFrom(
      '3080',
      '2480',
      'a080',
      '0000',
      '040101',
      '0201',
      '24',
      '80',
      '00',
      'ff',
      '30',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          der(`3080${pieces.join('')}`);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
