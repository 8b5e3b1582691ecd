import { type Codec, readField } from './codec.ts';
import { EncodeError } from './errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** Width of a length prefix, in bytes: lengths of 8, 16 or 24 bits. */
export type Prefix = 1 | 2 | 3;

/** Numbers are big-endian (RFC 9846 §3.3). */
export const uint8: Codec<number> = {
  read: (reader) => reader.uint8(),
  write: (writer, value) => writer.uint8(value),
};

export const uint16: Codec<number> = {
  read: (reader) => reader.uint16(),
  write: (writer, value) => writer.uint16(value),
};

export const uint24: Codec<number> = {
  read: (reader) => reader.uint24(),
  write: (writer, value) => writer.uint24(value),
};

export const uint32: Codec<number> = {
  read: (reader) => reader.uint32(),
  write: (writer, value) => writer.uint32(value),
};

export const uint64: Codec<bigint> = {
  read: (reader) => reader.uint64(),
  write: (writer, value) => writer.uint64(value),
};

/** Nothing at all: an extension that is only a flag. */
export const empty: Codec<true> = {
  read: () => true,
  write: () => {},
};

/** `opaque x[length]`: exactly `length` bytes (RFC 9846 §3.4). */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    read: (reader) => reader.take(length),
    write(writer, value) {
      if (value.length !== length) throw new EncodeError(`${value.length} bytes where ${length} are needed`);
      writer.bytes(value);
    },
  };
}

/** Whatever is left in the enclosing scope. */
export const rest: Codec<Uint8Array> = {
  read: (reader) => reader.takeRest(),
  write: (writer, value) => writer.bytes(value),
};

/** `opaque x<min..max>`: bytes behind a length (RFC 9846 §3.4). `max` is by default what the prefix can hold. */
export function opaque(prefix: Prefix, min = 0, max: number = 2 ** (8 * prefix) - 1): Codec<Uint8Array> {
  const codecOfPrefix = prefix === 1 ? uint8 : prefix === 2 ? uint16 : uint24;
  return {
    read(reader) {
      const start = reader.offset;
      const length = readLength(reader, prefix);
      if (length < min || length > max) throw badLength(reader, length, min, max, start);
      return reader.take(length);
    },
    write(writer, value) {
      checkLength(value.length, min, max);
      codecOfPrefix.write(writer, value.length);
      writer.bytes(value);
    },
  };
}

/** `T x<min..max>`: items behind a length (RFC 9846 §3.4); `min` and `max` count bytes, as in the RFCs. */
export function list<T>(
  prefix: Prefix,
  item: Codec<T>,
  min = 0,
  max: number = 2 ** (8 * prefix) - 1,
): Codec<T[]> {
  const readItems = (reader: Reader): T[] => {
    const items: T[] = [];
    while (reader.remaining > 0) items.push(readField(reader, items.length, item));
    return items;
  };
  return {
    read(reader) {
      const start = reader.offset;
      const length = readLength(reader, prefix);
      if (length < min || length > max) throw badLength(reader, length, min, max, start);
      return reader.scope(length, readItems);
    },
    write(writer, items) {
      writer.scope(prefix, () => {
        const start = writer.length;
        for (const value of items) item.write(writer, value);
        checkLength(writer.length - start, min, max);
      });
    },
  };
}

/** One value behind a length that it must fill. */
export function scoped<T>(prefix: Prefix, inner: Codec<T>): Codec<T> {
  return {
    read: (reader) => reader.scope(readLength(reader, prefix), inner.read),
    write: (writer, value) => writer.scope(prefix, () => inner.write(writer, value)),
  };
}

/** The same bytes under another type: ASCII text, a branded number. */
export function mapped<A, B>(inner: Codec<A>, to: (a: A, reader: Reader) => B, from: (b: B) => A): Codec<B> {
  return {
    read: (reader) => to(inner.read(reader), reader),
    write: (writer: Writer, value) => inner.write(writer, from(value)),
  };
}

/** A field that may hold one value only (RFC 9846 §3.7), as `legacy_compression_method`. */
export function constant(inner: Codec<number>, expected: number): Codec<number> {
  return {
    read(reader) {
      const start = reader.offset;
      const value = inner.read(reader);
      if (value !== expected) throw reader.error('bad-value', `is ${value}, must be ${expected}`, start);
      return value;
    },
    write: (writer, value) => inner.write(writer, value),
  };
}

function readLength(reader: Reader, prefix: Prefix): number {
  return prefix === 1 ? reader.uint8() : prefix === 2 ? reader.uint16() : reader.uint24();
}

function badLength(reader: Reader, length: number, min: number, max: number, at: number): Error {
  return reader.error('bad-length', `is ${length} bytes long, must be ${min} to ${max}`, at);
}

function checkLength(length: number, min: number, max: number): void {
  if (length < min || length > max)
    throw new EncodeError(`${length} bytes where ${min} to ${max} are allowed`);
}
