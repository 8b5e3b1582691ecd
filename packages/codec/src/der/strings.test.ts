import { describe, expect, test } from 'vitest';
import { fromHex, utf8 } from '../bytes.ts';
import { DecodeError, EncodeError } from '../errors.ts';
import { decodeDerString } from './strings.ts';
import { Tag } from './tags.ts';
import * as der from './write.ts';

test.each([
  ['UTF8String', Tag.utf8String, 'c3a9e282ac', 'é€'],
  ['UTF8String that starts with U+FEFF', Tag.utf8String, 'efbbbf61', '\ufeffa'],
  ['PrintableString with characters it should not have', Tag.printableString, '2a406f', '*@o'],
  ['IA5String', Tag.ia5String, '6140', 'a@'],
  ['TeletexString, as Latin-1', Tag.teletexString, 'e9', 'é'],
  ['BMPString', Tag.bmpString, '00e920ac', 'é€'],
  ['UniversalString', Tag.universalString, '0001f600', '😀'],
])('%s', (_, tag, hex, text) => {
  expect(decodeDerString(tag, fromHex(hex))).toBe(text);
});

describe('refuses', () => {
  test.each([
    ['broken UTF-8', Tag.utf8String, 'c3'],
    ['overlong UTF-8', Tag.utf8String, 'c0af'],
    ['IA5String beyond ASCII', Tag.ia5String, 'e9'],
    ['PrintableString beyond ASCII', Tag.printableString, 'e9'],
    ['half a BMP character', Tag.bmpString, '00e920'],
    ['half of a surrogate pair', Tag.bmpString, 'd83d'],
    ['a character beyond Unicode', Tag.universalString, '00110000'],
    ['another type', Tag.integer, '00'],
  ])('%s', (_, tag, hex) => {
    expect(() => decodeDerString(tag, fromHex(hex))).toThrow(DecodeError);
  });

  test('to write what the type cannot hold', () => {
    expect(() => der.printableString('a@b')).toThrow(EncodeError);
    expect(() => der.ia5String('é')).toThrow(EncodeError);
    expect(() => der.bmpString('😀')).toThrow(EncodeError);
    expect(() => der.bitString(Uint8Array.of(1), 1)).toThrow(EncodeError);
    expect(() => der.bitString(new Uint8Array(), 1)).toThrow(EncodeError);
    expect(() => der.integer(0.5)).toThrow(EncodeError);
  });
});

test('text that is written is read back', () => {
  expect(decodeDerString(Tag.bmpString, der.bmpString('é€').subarray(2))).toBe('é€');
  expect(der.printableString('Example, Inc.').subarray(2)).toEqual(utf8('Example, Inc.'));
});
