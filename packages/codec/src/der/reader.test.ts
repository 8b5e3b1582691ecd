import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { DerReader, decodeDer } from './reader.ts';
import { Tag } from './tags.ts';
import * as der from './write.ts';

type Read = (reader: DerReader) => unknown;

const refusal = (hex: string, read: Read): string => {
  try {
    decodeDer(fromHex(hex), read);
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
  return 'accepted';
};

describe('lengths', () => {
  test('of one, two and three bytes are read', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65535, 65536]) {
      const encoded = der.octetString(new Uint8Array(length));
      expect(decodeDer(encoded, (reader) => reader.octetString()).length).toBe(length);
    }
  });

  test.each([
    ['indefinite', '2480040100000000', 'bad-length'],
    ['indefinite, primitive', '0480', 'bad-length'],
    ['not minimal', '04810100', 'bad-length'],
    ['with leading zeros', '04820080', 'bad-length'],
    ['reserved', '04ff', 'bad-length'],
    ['of five bytes', '04850100000000', 'bad-length'],
    ['beyond the input', '040200', 'truncated'],
    ['huge', '0484ffffffff00', 'truncated'],
    ['cut', '048201', 'truncated'],
    ['missing', '04', 'truncated'],
    ['followed by more', '040000', 'trailing-bytes'],
  ])('%s: refused', (_, hex, code) => {
    expect(refusal(hex, (reader) => reader.element())).toBe(hex.startsWith('24') ? 'bad-value' : code);
  });

  test('of an inner value cannot reach out of the outer one', () => {
    expect(refusal('3003040200ff', (reader) => reader.sequence((inner) => inner.octetString()))).toBe(
      'truncated',
    );
  });
});

describe('tags', () => {
  test.each([
    ['a constructed OCTET STRING', '2403040100'],
    ['a constructed UTF8String', '2c030c0161'],
    ['a primitive SEQUENCE', '1000'],
    ['a primitive SET', '1100'],
    ['end of contents', '0000'],
    ['a tag number over 30', 'bf1f00'],
    ['a universal tag number over 30', '1f2000'],
  ])('%s: refused', (_, hex) => {
    expect(refusal(hex, (reader) => reader.element())).toBe('bad-value');
  });

  test('another type than expected is refused, and said', () => {
    expect(() => new DerReader(fromHex('0500')).integer()).toThrow('NULL where INTEGER was expected');
    expect(() => new DerReader(fromHex('a000')).oid()).toThrow('[0] where OBJECT IDENTIFIER was expected');
    expect(refusal('', (reader) => reader.integer())).toBe('truncated');
  });
});

describe('values', () => {
  test.each<[string, string, Read]>([
    ['BOOLEAN of value 1', '010101', (reader) => reader.boolean()],
    ['BOOLEAN of two bytes', '0102ffff', (reader) => reader.boolean()],
    ['empty INTEGER', '0200', (reader) => reader.integer()],
    ['padded INTEGER', '02020001', (reader) => reader.integer()],
    ['padded negative INTEGER', '0202ff80', (reader) => reader.integer()],
    ['INTEGER over the limit', '020201ff', (reader) => reader.smallInteger(255)],
    ['negative INTEGER where none may be', '0201ff', (reader) => reader.unsigned()],
    ['NULL with content', '050100', (reader) => reader.null()],
    ['BIT STRING without its count', '0300', (reader) => reader.bitString()],
    ['BIT STRING with 8 unused bits', '03020800', (reader) => reader.bitString()],
    ['empty BIT STRING with unused bits', '030101', (reader) => reader.bitString()],
    ['BIT STRING with unused bits set', '03020181', (reader) => reader.bitString()],
    ['BIT STRING of part of a byte', '03020180', (reader) => reader.wholeBytesBitString()],
    ['SET OF out of order', '3106020102020101', (reader) => reader.setOf((item) => item.integer())],
    ['string where there is none', '020100', (reader) => reader.string()],
  ])('%s: refused', (_, hex, read) => {
    expect(refusal(hex, read)).toMatch(/^bad-/);
  });

  test('FALSE and TRUE', () => {
    expect(decodeDer(fromHex('010100'), (reader) => reader.boolean())).toBe(false);
    expect(decodeDer(fromHex('0101ff'), (reader) => reader.boolean())).toBe(true);
  });

  test('equal items of a SET OF are in order', () => {
    expect(
      decodeDer(fromHex('3106020101020101'), (reader) => reader.setOf((item) => item.smallInteger())),
    ).toEqual([1, 1]);
  });
});

test('views share the input', () => {
  const bytes = der.sequence(der.octetString(Uint8Array.of(1, 2, 3)));
  const view = decodeDer(bytes, (reader) => reader.sequence((inner) => inner.octetString()));
  expect(view.buffer).toBe(bytes.buffer);
});

test('an error says where, from the start of the input', () => {
  const bytes = der.sequence(der.integer(1), der.sequence(der.boolean(true)));
  const reader = new DerReader(bytes);
  const read = (): unknown =>
    reader.sequence((outer) => [outer.integer(), outer.sequence((inner) => inner.null())]);
  expect(read).toThrow(expect.objectContaining({ offset: 7 }));
});

test('nesting is bounded', () => {
  const nested = (levels: number): Uint8Array =>
    levels === 0 ? der.nullValue() : der.sequence(nested(levels - 1));
  const read = (reader: DerReader): unknown =>
    reader.peek() === Tag.sequence ? reader.sequence(read) : reader.null();
  expect(decodeDer(nested(32), read)).toBeNull();
  expect(() => decodeDer(nested(33), read)).toThrow(DecodeError);
});

test('what must be consumed must be consumed', () => {
  expect(refusal('3003020100', (reader) => reader.sequence(() => 0))).toBe('trailing-bytes');
  expect(refusal('30060201000201ff', (reader) => reader.sequence((inner) => inner.integer()))).toBe(
    'trailing-bytes',
  );
});

test('values that are written are read back the same', () => {
  const value = fc.record({
    integer: fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    small: fc.nat(),
    flag: fc.boolean(),
    bytes: fc.uint8Array({ maxLength: 300 }),
    time: fc.date({
      min: new Date('0001-01-01'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    }),
    text: fc.string({ unit: 'grapheme', maxLength: 50 }),
    set: fc.array(fc.bigInt({ min: -1000n, max: 1000n }), { maxLength: 10 }),
    bits: fc.uniqueArray(fc.nat(40), { maxLength: 10 }),
    optional: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(value, (given) => {
      const bytes = der.sequence(
        der.integer(given.integer),
        der.integer(given.small),
        der.boolean(given.flag),
        der.octetString(given.bytes),
        der.time(given.time),
        der.utf8String(given.text),
        der.setOf(...given.set.map(der.integer)),
        der.namedBits(given.bits),
        given.optional === undefined ? undefined : der.explicit(3, der.integer(given.optional)),
        der.bitString(given.bytes),
        der.unsigned(given.bytes),
      );
      const read = decodeDer(bytes, (reader) =>
        reader.sequence((inner) => ({
          integer: inner.integer(),
          small: inner.smallInteger(),
          flag: inner.boolean(),
          bytes: inner.octetString(),
          time: inner.time(),
          text: inner.string(),
          set: inner.setOf((item) => item.integer()),
          bits: positions(inner.bitString().bytes),
          optional: inner.explicit(3, (explicit) => explicit.smallInteger()),
          again: inner.wholeBytesBitString(),
          magnitude: toHex(inner.unsigned()),
        })),
      );
      const { again, magnitude, ...same } = read;
      expect({ ...same, set: same.set.sort(order), bits: same.bits }).toEqual({
        ...given,
        time: new Date(Math.floor(given.time.getTime() / 1000) * 1000),
        set: given.set.toSorted(order),
        bits: given.bits.toSorted((a, b) => a - b),
      });
      expect(again).toEqual(given.bytes);
      expect(magnitude.replace(/^(00)+/, '')).toBe(toHex(given.bytes).replace(/^(00)+/, ''));
    }),
  );
});

test('any bytes give a value or a typed error, and a value is its only encoding', () => {
  const read = (reader: DerReader): Uint8Array => {
    const { tag, content, whole } = reader.element();
    if ((tag & 0x20) === 0) return whole;
    const inner = new DerReader(content);
    const parts: Uint8Array[] = [];
    while (inner.remaining > 0) parts.push(read(inner));
    return der.element(tag, ...parts);
  };
  const tlv = fc.uint8Array({ maxLength: 20 });
  const nested = fc
    .tuple(fc.constantFrom(0x30, 0x31, 0xa0), tlv)
    .map(([tag, inner]) => Uint8Array.of(tag, inner.length, ...inner));
  fc.assert(
    fc.property(fc.oneof(tlv, nested), (bytes) => {
      let again: Uint8Array;
      try {
        again = decodeDer(bytes, read);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        return;
      }
      expect(again).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

function positions(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length * 8 }, (_, i) => i).filter(
    (i) => (bytes[i >> 3]! << (i & 7)) & 0x80,
  );
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
