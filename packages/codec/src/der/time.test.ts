import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../bytes.ts';
import { DecodeError, EncodeError } from '../errors.ts';
import { Tag } from './tags.ts';
import { decodeDerTime } from './time.ts';
import * as der from './write.ts';

const utcTime = (text: string): Date => decodeDerTime(Tag.utcTime, utf8(text));
const generalizedTime = (text: string): Date => decodeDerTime(Tag.generalizedTime, utf8(text));

test('two digits of a year mean 1950 to 2049', () => {
  expect(utcTime('500101000000Z')).toEqual(new Date('1950-01-01T00:00:00Z'));
  expect(utcTime('491231235959Z')).toEqual(new Date('2049-12-31T23:59:59Z'));
});

test('four digits reach from year 0 to 9999, and the 29th of February is there in leap years', () => {
  expect(generalizedTime('00000229000000Z').toISOString()).toBe('0000-02-29T00:00:00.000Z');
  expect(generalizedTime('99991231235959Z').toISOString()).toBe('9999-12-31T23:59:59.000Z');
});

describe('refuses', () => {
  test.each([
    '2401010000Z', // no seconds
    '240101000000', // no zone
    '240101000000+0100',
    '240101000000z',
    '24010100000 Z',
    '241301000000Z',
    '240001000000Z',
    '240100000000Z',
    '230229000000Z',
    '240101240000Z',
    '240101006000Z',
    '240101000060Z',
    '',
  ])('the UTCTime "%s"', (text) => {
    expect(() => utcTime(text)).toThrow(DecodeError);
  });

  test.each(['20240101000000.5Z', '20240101000000', '240101000000Z', '20230229000000Z', '-0010101000000Z'])(
    'the GeneralizedTime "%s"',
    (text) => {
      expect(() => generalizedTime(text)).toThrow(DecodeError);
    },
  );

  test('to write years that four digits do not hold', () => {
    expect(() => der.time(new Date('+010000-01-01T00:00:00Z'))).toThrow(EncodeError);
    expect(() => der.time(new Date(Number.NaN))).toThrow(EncodeError);
  });
});

test('UTCTime is written up to 2049, GeneralizedTime from 2050', () => {
  expect(toHex(der.time(new Date('2049-12-31T23:59:59.999Z')))).toBe(`170d${toHex(utf8('491231235959Z'))}`);
  expect(toHex(der.time(new Date('2050-01-01T00:00:00Z')))).toBe(`180f${toHex(utf8('20500101000000Z'))}`);
  expect(toHex(der.time(new Date('1949-12-31T00:00:00Z')))).toBe(`180f${toHex(utf8('19491231000000Z'))}`);
});
