import { concat, utf8 } from '../bytes.ts';
import { EncodeError } from '../errors.ts';
import { encodeOid, type Oid } from '../oid.ts';
import { compareBytes } from './reader.ts';
import { contextConstructedTag, contextTag, Tag } from './tags.ts';

// Builders of DER values: each gives the bytes of one whole value, so that a structure is written as it reads in
// ASN.1. Parts that are `undefined` are left out: OPTIONAL and DEFAULT. They throw EncodeError on what DER cannot carry.

/** A value of any tag around `content`. */
export function element(tag: number, ...content: readonly (Uint8Array | undefined)[]): Uint8Array {
  const parts = content.filter((part) => part !== undefined);
  let length = 0;
  for (const part of parts) length += part.length;
  return concat(header(tag, length), ...parts);
}

export function sequence(...parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  return element(Tag.sequence, ...parts);
}

/** SET OF: sorted as X.690 §11.6 asks. */
export function setOf(...items: readonly Uint8Array[]): Uint8Array {
  return element(Tag.set, ...items.toSorted(compareBytes));
}

/** `[number] EXPLICIT`: around a whole value. */
export function explicit(number: number, ...parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  return element(contextConstructedTag(number), ...parts);
}

/** `[number] IMPLICIT`: `value` with its tag replaced. */
export function implicit(number: number, value: Uint8Array): Uint8Array {
  const copy = value.slice();
  copy[0] = (value[0]! & 0x20 ? contextConstructedTag : contextTag)(number);
  return copy;
}

export function boolean(value: boolean): Uint8Array {
  return element(Tag.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** An INTEGER of any size and sign. */
export function integer(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new EncodeError(`${value} is not an exact integer`);
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    bytes.push(Number(rest & 0xffn));
    rest >>= 8n;
  } while (!(rest === 0n && bytes.at(-1)! < 0x80) && !(rest === -1n && bytes.at(-1)! >= 0x80));
  return element(Tag.integer, Uint8Array.from(bytes.reverse()));
}

/** A non-negative INTEGER of big-endian bytes; leading zeros are dropped or added as DER asks. */
export function unsigned(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const bytes = magnitude.subarray(start);
  const needsSign = bytes.length === 0 || bytes[0]! >= 0x80;
  return element(Tag.integer, needsSign ? Uint8Array.of(0) : undefined, bytes);
}

export function enumerated(value: number): Uint8Array {
  const bytes = integer(value);
  bytes[0] = Tag.enumerated;
  return bytes;
}

export function nullValue(): Uint8Array {
  return Uint8Array.of(Tag.null, 0);
}

export function oid(value: Oid): Uint8Array {
  return element(Tag.oid, encodeOid(value));
}

export function octetString(...parts: readonly Uint8Array[]): Uint8Array {
  return element(Tag.octetString, ...parts);
}

/** @param unusedBits of the last byte, 0 to 7; they must be zero. Default 0. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  const mask = (1 << unusedBits) - 1;
  if (!(unusedBits >= 0 && unusedBits <= 7) || (unusedBits > 0 && bytes.length === 0))
    throw new EncodeError(`${unusedBits} unused bits in ${bytes.length} bytes`);
  if (mask !== 0 && bytes[bytes.length - 1]! & mask) throw new EncodeError('unused bits that are not zero');
  return element(Tag.bitString, Uint8Array.of(unusedBits), bytes);
}

/** A BIT STRING of named bits: trailing zero bits are dropped (X.690 §11.2.2). */
export function namedBits(positions: Iterable<number>): Uint8Array {
  const bytes: number[] = [];
  let last = -1;
  for (const position of positions) {
    const index = position >> 3;
    while (bytes.length <= index) bytes.push(0);
    bytes[index]! |= 0x80 >> (position & 7);
    last = Math.max(last, position);
  }
  return bitString(Uint8Array.from(bytes), last < 0 ? 0 : 7 - (last & 7));
}

export function utf8String(text: string): Uint8Array {
  return element(Tag.utf8String, utf8(text));
}

/** Throws {@link EncodeError} on a character outside the type's repertoire (X.680 §41.4). */
export function printableString(text: string): Uint8Array {
  if (!/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text))
    throw new EncodeError(`"${text}" does not fit a PrintableString`);
  return element(Tag.printableString, utf8(text));
}

export function ia5String(text: string): Uint8Array {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the type is all of ASCII
  if (!/^[\x00-\x7f]*$/.test(text)) throw new EncodeError(`"${text}" does not fit an IA5String`);
  return element(Tag.ia5String, utf8(text));
}

export function bmpString(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdfff) throw new EncodeError(`"${text}" does not fit a BMPString`);
    bytes[2 * i] = unit >> 8;
    bytes[2 * i + 1] = unit & 0xff;
  }
  return element(Tag.bmpString, bytes);
}

/** UTCTime for the years 1950 to 2049, GeneralizedTime otherwise (RFC 5280 §4.1.2.5). Milliseconds are dropped. */
export function time(date: Date): Uint8Array {
  const year = date.getUTCFullYear();
  return year >= 1950 && year <= 2049
    ? element(Tag.utcTime, utf8(timeDigits(date).slice(2)))
    : generalizedTime(date);
}

export function generalizedTime(date: Date): Uint8Array {
  return element(Tag.generalizedTime, utf8(timeDigits(date)));
}

/** `YYYYMMDDHHMMSSZ`. */
function timeDigits(date: Date): string {
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new EncodeError('a time outside the years 0 to 9999');
  return `${date
    .toISOString()
    .replace(/[-:T]/g, '')
    .replace(/\.\d+Z$/, 'Z')}`;
}

function header(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.push(rest % 256);
  return Uint8Array.of(tag, 0x80 | digits.length, ...digits.reverse());
}
