import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from './bytes.ts';
import { type Codec, decode, encode, struct } from './codec.ts';
import { DecodeError, EncodeError } from './errors.ts';
import {
  constant,
  empty,
  fixed,
  list,
  mapped,
  opaque,
  rest,
  scoped,
  uint8,
  uint16,
  uint24,
  uint32,
  uint64,
} from './fields.ts';
import { Reader, type Tracer } from './reader.ts';
import { Writer } from './writer.ts';

const message = struct({
  type: uint8,
  version: uint16,
  length: uint24,
  sequence: uint32,
  time: uint64,
  random: fixed(4),
  session: opaque(1, 0, 32),
  suites: list(2, uint16, 2),
  nested: scoped(2, struct({ flag: empty, names: list(2, opaque(1, 1)) })),
  remainder: rest,
});

const messages = fc.record({
  type: fc.nat(0xff),
  version: fc.nat(0xffff),
  length: fc.nat(0xffffff),
  sequence: fc.nat(0xffffffff),
  time: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  random: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  session: fc.uint8Array({ maxLength: 32 }),
  suites: fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 10 }),
  nested: fc.record({
    flag: fc.constant<true>(true),
    names: fc.array(fc.uint8Array({ minLength: 1, maxLength: 10 }), { maxLength: 5 }),
  }),
  remainder: fc.uint8Array({ maxLength: 20 }),
});

test('what is encoded decodes to the same', () => {
  fc.assert(
    fc.property(messages, (value) => {
      expect(decode(message, encode(message, value))).toEqual(value);
    }),
  );
});

test('any bytes decode, and encode back to the same, or give a typed error', () => {
  const mutated = fc.tuple(messages, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = encode(message, value).slice();
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), (bytes) => {
      let value: ReturnType<typeof decode<unknown>>;
      try {
        value = decode(message as Codec<unknown>, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        return;
      }
      expect(encode(message as Codec<unknown>, value)).toEqual(bytes);
    }),
  );
});

test('every cut of a message is refused as truncated', () => {
  const whole = encode(
    message,
    fc.sample(
      messages.map((value) => ({ ...value, remainder: new Uint8Array() })),
      1,
    )[0]!,
  );
  for (let length = 0; length < whole.length; length++)
    expect(() => decode(message, whole.subarray(0, length))).toThrow(
      expect.objectContaining({ code: 'truncated' }),
    );
});

describe('refuses', () => {
  const codeOf = (codec: Codec<unknown>, hex: string): string => {
    try {
      decode(codec, fromHex(hex));
      return 'accepted';
    } catch (error) {
      return error instanceof DecodeError ? error.code : String(error);
    }
  };
  test.each<[string, Codec<never>, string, string]>([
    ['bytes left over', uint8 as Codec<never>, '0000', 'trailing-bytes'],
    ['bytes left over in a scope', scoped(1, uint8) as Codec<never>, '020000', 'trailing-bytes'],
    ['a length beyond the input', opaque(1) as Codec<never>, '0200', 'truncated'],
    ['a length beyond its scope', scoped(1, opaque(1)) as Codec<never>, '02020000', 'truncated'],
    ['an opaque that is too short', opaque(1, 2) as Codec<never>, '0100', 'bad-length'],
    ['an opaque that is too long', opaque(1, 0, 1) as Codec<never>, '020000', 'bad-length'],
    ['an empty list where one must be', list(1, uint8, 1) as Codec<never>, '00', 'bad-length'],
    ['half an item', list(1, uint16) as Codec<never>, '0100', 'truncated'],
    ['another value than the constant', constant(uint8, 1) as Codec<never>, '02', 'bad-value'],
  ])('%s', (_, codec, hex, code) => {
    expect(codeOf(codec, hex)).toBe(code);
  });

  test.each<[string, () => unknown]>([
    ['a number out of range', () => encode(uint8, 256)],
    ['a negative number', () => encode(uint16, -1)],
    ['a fraction', () => encode(uint24, 0.5)],
    ['NaN', () => encode(uint32, Number.NaN)],
    ['64 bits and one', () => encode(uint64, 2n ** 64n)],
    ['bytes of another length', () => encode(fixed(2), new Uint8Array(3))],
    ['too long an opaque', () => encode(opaque(1), new Uint8Array(256))],
    ['too short a list', () => encode(list(1, uint8, 2), [1])],
    ['what a length cannot say', () => encode(scoped(1, rest), new Uint8Array(256))],
  ])('to write %s', (_, write) => {
    expect(write).toThrow(EncodeError);
  });
});

test('an error names the field by its path', () => {
  const codec = struct({ items: list(1, struct({ value: uint16 })) });
  expect(() => decode(codec, fromHex('03000100'))).toThrow(
    expect.objectContaining({ path: 'items.[1].value', offset: 3, code: 'truncated' }),
  );
});

test('a tracer sees every field with its place and value', () => {
  const seen: string[] = [];
  const tracer: Tracer = {
    enter: (field, offset) => seen.push(`> ${field} @${offset}`),
    leave: (field, offset, length, value) =>
      seen.push(
        `< ${field} @${offset}+${length} ${value instanceof Uint8Array ? toHex(value) : JSON.stringify(value)}`,
      ),
  };
  decode(struct({ a: uint8, b: list(1, uint8) }), fromHex('01020304'), tracer);
  expect(seen).toEqual([
    '> a @0',
    '< a @0+1 1',
    '> b @1',
    '> [0] @2',
    '< [0] @2+1 3',
    '> [1] @3',
    '< [1] @3+1 4',
    '< b @1+3 [3,4]',
  ]);
});

test('mapped fields are converted both ways', () => {
  const codec = mapped(
    uint8,
    (value) => value === 1,
    (value) => (value ? 1 : 0),
  );
  expect(decode(codec, fromHex('01'))).toBe(true);
  expect(toHex(encode(codec, false))).toBe('00');
});

test('the reader gives views, peeks without moving, and never leaves its scope', () => {
  const bytes = fromHex('0102030405');
  const reader = new Reader(bytes);
  expect(reader.peek()).toBe(1);
  expect(reader.take(2).buffer).toBe(bytes.buffer);
  reader.scope(2, (inner) => {
    expect(inner.remaining).toBe(2);
    inner.takeRest();
    expect(inner.peek()).toBeUndefined();
    expect(() => inner.uint8()).toThrow(DecodeError);
  });
  expect(reader.uint8()).toBe(5);
  reader.expectEnd();
});

test('the writer grows as needed and back-fills lengths', () => {
  const writer = new Writer(1);
  writer.scope(3, (outer) => {
    outer.scope(1, (inner) => inner.bytes(new Uint8Array(200).fill(7)));
    outer.scope(2, (inner) => inner.bytes(new Uint8Array(20_000).fill(8)));
    outer.uint16(0x0102);
  });
  const bytes = writer.finish();
  expect(bytes.length).toBe(3 + 201 + 20_002 + 2);
  expect(toHex(bytes.subarray(0, 5))).toBe('004eedc807');
  expect(toHex(bytes.subarray(-3))).toBe('080102');
});

test('what was encoded stays as it is when more is encoded, also by two writers at a time', () => {
  const first = new Writer();
  first.uint16(0x0102);
  const second = new Writer();
  second.uint16(0x0304);
  first.uint16(0x0506);
  const firstBytes = first.finish();
  const secondBytes = second.finish();
  const many = Array.from({ length: 3000 }, (_, i) => encode(uint32, i));
  expect(toHex(firstBytes)).toBe('01020506');
  expect(toHex(secondBytes)).toBe('0304');
  expect(many.map((bytes) => decode(uint32, bytes))).toEqual(many.map((_, i) => i));
});

test('a writer that gives up does not disturb the next', () => {
  const before = encode(uint16, 0x0102);
  expect(() => encode(list(1, uint16), [1, 2, -1])).toThrow(EncodeError);
  const after = encode(uint16, 0x0304);
  expect(toHex(before)).toBe('0102');
  expect(toHex(after)).toBe('0304');
});
