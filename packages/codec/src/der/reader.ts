import { DecodeError } from '../errors.ts';
import { decodeOid, type Oid } from '../oid.ts';
import { decodeDerString, isStringTag } from './strings.ts';
import { CONSTRUCTED, contextConstructedTag, Tag, tagName } from './tags.ts';
import { decodeDerTime } from './time.ts';

/** Levels of nesting that a reader enters by default; X.509 and CMS stay under 20. */
export const DER_MAX_DEPTH = 32;

/** One tag-length-value. Both byte arrays are views. */
export interface DerElement {
  /** The identifier octet: compare with {@link Tag}. */
  readonly tag: number;
  /** Where the tag stands in the outermost buffer. */
  readonly offset: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

/** The content of a BIT STRING; unused bits are the last ones of the last byte and are zero. */
export interface DerBits {
  readonly bytes: Uint8Array;
  /** 0 to 7. */
  readonly unusedBits: number;
}

/**
 * Reads DER (X.690 §10, §11) and nothing that is BER only: lengths are definite and minimal, strings primitive,
 * INTEGERs minimal, BOOLEANs 00 or FF. Tag numbers over 30 are refused: no format here uses them.
 * Byte strings are views on the input, never copies. Throws {@link DecodeError} only.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #depth: number;
  #offset: number;

  /** @param maxDepth levels that may be entered. Default {@link DER_MAX_DEPTH}. */
  constructor(bytes: Uint8Array, maxDepth?: number);
  /** @internal */
  constructor(bytes: Uint8Array, maxDepth: number, start: number, end: number);
  constructor(bytes: Uint8Array, maxDepth: number = DER_MAX_DEPTH, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#depth = maxDepth;
    this.#offset = start;
    this.#end = end;
  }

  /** Position in the outermost buffer, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes left in this value. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** The next value's tag without reading it; undefined at the end. */
  peek(): number | undefined {
    return this.#offset < this.#end ? this.#bytes[this.#offset] : undefined;
  }

  /** Throws `trailing-bytes` unless everything is read. */
  expectEnd(): void {
    if (this.#offset !== this.#end) throw this.error('trailing-bytes', `${this.remaining} bytes too many`);
  }

  /** An error at the current position, or at `offset`. */
  error(code: DecodeError['code'], detail: string, offset: number = this.#offset): DecodeError {
    return new DecodeError(code, detail, offset);
  }

  /** The next value, whatever its type. */
  element(): DerElement {
    const offset = this.#offset;
    const tag = this.peek();
    if (tag === undefined) throw this.error('truncated', 'a value is missing');
    const start = this.#header(tag);
    return {
      tag,
      offset,
      content: this.#bytes.subarray(start, this.#offset),
      whole: this.#bytes.subarray(offset, this.#offset),
    };
  }

  /** The next value with tag and length, as a view; it must have this tag, if one is given. */
  whole(tag?: number): Uint8Array {
    const offset = this.#offset;
    if (tag === undefined) return this.element().whole;
    this.#header(tag);
    return this.#bytes.subarray(offset, this.#offset);
  }

  /** Content of the next value, which must have this tag. */
  content(tag: number): Uint8Array {
    const start = this.#header(tag);
    return this.#bytes.subarray(start, this.#offset);
  }

  /**
   * A reader over the content of the next value, which must have this tag. For constructed values, and for
   * strings that hold DER. The caller calls `expectEnd`; better use {@link read}.
   */
  enter(tag: number): DerReader {
    if (this.#depth === 0) throw this.error('bad-value', 'nested too deep');
    const start = this.#header(tag);
    return new DerReader(this.#bytes, this.#depth - 1, start, this.#offset);
  }

  /** Reads the content of the next value with `read`, which must consume all of it. */
  read<T>(tag: number, read: (inner: DerReader) => T): T {
    const inner = this.enter(tag);
    const value = read(inner);
    inner.expectEnd();
    return value;
  }

  /** As {@link read}, or undefined when the next value has another tag. */
  optional<T>(tag: number, read: (inner: DerReader) => T): T | undefined {
    return this.peek() === tag ? this.read(tag, read) : undefined;
  }

  sequence<T>(read: (inner: DerReader) => T): T {
    return this.read(Tag.sequence, read);
  }

  /** `[number] EXPLICIT`, or undefined when it is not there. */
  explicit<T>(number: number, read: (inner: DerReader) => T): T | undefined {
    return this.optional(contextConstructedTag(number), read);
  }

  /** SEQUENCE OF, or another tag's list; `max` bounds the number of items (default: none but the input's size). */
  sequenceOf<T>(
    read: (item: DerReader) => T,
    tag: number = Tag.sequence,
    max: number = Number.POSITIVE_INFINITY,
  ): T[] {
    const inner = this.enter(tag);
    const items: T[] = [];
    while (inner.remaining > 0) {
      if (items.length >= max) throw inner.error('bad-length', `more than ${max} items`);
      items.push(read(inner));
    }
    return items;
  }

  /** SET OF in DER's order (X.690 §11.6): `read` must consume exactly one value. */
  setOf<T>(read: (item: DerReader) => T, tag: number = Tag.set): T[] {
    const inner = this.enter(tag);
    const items: T[] = [];
    let before: Uint8Array | undefined;
    while (inner.remaining > 0) {
      const start = inner.offset;
      items.push(read(inner));
      const item = this.#bytes.subarray(start, inner.offset);
      if (before !== undefined && compareBytes(before, item) > 0)
        throw inner.error('bad-value', 'the items of a SET OF are not in order', start);
      before = item;
    }
    return items;
  }

  boolean(): boolean {
    const offset = this.#offset;
    const content = this.content(Tag.boolean);
    if (content.length !== 1) throw this.error('bad-length', `a BOOLEAN of ${content.length} bytes`, offset);
    if (content[0] !== 0 && content[0] !== 0xff)
      throw this.error('bad-value', `a BOOLEAN of value ${content[0]}`, offset);
    return content[0] === 0xff;
  }

  /** Two's complement bytes of an INTEGER, minimal. `tag` is for IMPLICIT ones. */
  integerBytes(tag: number = Tag.integer): Uint8Array {
    const offset = this.#offset;
    const content = this.content(tag);
    const [first, second] = content;
    if (first === undefined) throw this.error('bad-length', 'an INTEGER without bytes', offset);
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
      throw this.error('bad-value', 'an INTEGER with needless leading bytes', offset);
    return content;
  }

  /** An INTEGER of any size, up to `maxLength` bytes (default 2048). */
  integer(tag: number = Tag.integer, maxLength = 2048): bigint {
    const offset = this.#offset;
    const bytes = this.integerBytes(tag);
    if (bytes.length > maxLength)
      throw this.error('bad-length', `an INTEGER of ${bytes.length} bytes`, offset);
    let hex = '0x';
    for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
    const unsigned = BigInt(hex);
    return bytes[0]! & 0x80 ? unsigned - (1n << BigInt(8 * bytes.length)) : unsigned;
  }

  /** Magnitude of an INTEGER that may not be negative, without the sign byte (empty never: zero is `00`). */
  unsigned(tag: number = Tag.integer): Uint8Array {
    const offset = this.#offset;
    const bytes = this.integerBytes(tag);
    if (bytes[0]! & 0x80) throw this.error('bad-value', 'a negative INTEGER', offset);
    return bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
  }

  /** An INTEGER (or ENUMERATED, by tag) from 0 to `max`. Default maximum 2³¹ − 1. */
  smallInteger(max = 0x7fffffff, tag: number = Tag.integer): number {
    const offset = this.#offset;
    const bytes = this.unsigned(tag);
    let value = 0;
    for (const byte of bytes) {
      value = value * 256 + byte;
      if (value > max) throw this.error('bad-value', `an INTEGER over ${max}`, offset);
    }
    return value;
  }

  null(): null {
    const offset = this.#offset;
    if (this.content(Tag.null).length !== 0) throw this.error('bad-length', 'a NULL with content', offset);
    return null;
  }

  oid(tag: number = Tag.oid): Oid {
    const offset = this.#offset;
    return decodeOid(this.content(tag), offset);
  }

  octetString(tag: number = Tag.octetString): Uint8Array {
    return this.content(tag);
  }

  bitString(tag: number = Tag.bitString): DerBits {
    const offset = this.#offset;
    const content = this.content(tag);
    const unusedBits = content[0];
    if (unusedBits === undefined) throw this.error('bad-length', 'a BIT STRING without bytes', offset);
    if (unusedBits > 7 || (unusedBits > 0 && content.length === 1))
      throw this.error('bad-value', `a BIT STRING with ${unusedBits} unused bits`, offset);
    if (content[content.length - 1]! & ((1 << unusedBits) - 1) && content.length > 1)
      throw this.error('bad-value', 'unused bits of a BIT STRING are not zero', offset);
    return { bytes: content.subarray(1), unusedBits };
  }

  /** A BIT STRING of whole bytes, as keys and signatures are. */
  wholeBytesBitString(tag: number = Tag.bitString): Uint8Array {
    const offset = this.#offset;
    const { bytes, unusedBits } = this.bitString(tag);
    if (unusedBits !== 0) throw this.error('bad-value', 'a BIT STRING that is not whole bytes', offset);
    return bytes;
  }

  /** UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5: to the second, in UTC. */
  time(): Date {
    const offset = this.#offset;
    const { tag, content } = this.element();
    return decodeDerTime(tag, content, offset);
  }

  /** A character string of any of the usual types. */
  string(): string {
    const offset = this.#offset;
    const tag = this.peek();
    if (tag === undefined || !isStringTag(tag))
      throw this.error(
        'bad-value',
        `${tag === undefined ? 'nothing' : tagName(tag)} where a string was expected`,
      );
    return decodeDerString(tag, this.content(tag), offset);
  }

  /** Reads tag and length, moves past the value, and gives where its content starts. */
  #header(expected: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const offset = this.#offset;
    if (offset >= end) throw this.error('truncated', `${tagName(expected)} is missing`);
    const tag = bytes[offset]!;
    if (tag !== expected)
      throw this.error('bad-value', `${tagName(tag)} where ${tagName(expected)} was expected`);
    if ((tag & 0x1f) === 0x1f) throw this.error('bad-value', 'a tag number over 30');
    if (isMisconstructed(tag)) throw this.error('bad-value', `${tagName(tag)} is not DER`);
    let at = offset + 1;
    if (at >= end) throw this.error('truncated', 'a length is missing');
    let length = bytes[at++]!;
    if (length >= 0x80) {
      const width = length & 0x7f;
      if (width === 0) throw this.error('bad-length', 'an indefinite length');
      if (width > 4) throw this.error('bad-length', `a length of ${width} bytes`);
      if (width > end - at) throw this.error('truncated', 'a length is cut short');
      if (bytes[at] === 0) throw this.error('bad-length', 'a length with needless bytes');
      length = 0;
      for (let i = 0; i < width; i++) length = length * 256 + bytes[at++]!;
      if (length < 0x80) throw this.error('bad-length', 'a length with needless bytes');
    }
    if (length > end - at) throw this.error('truncated', `needs ${length} bytes, ${end - at} are left`);
    this.#offset = at + length;
    return at;
  }
}

/** One value that fills `bytes`. Throws {@link DecodeError}, also on bytes left over. */
export function decodeDer<T>(bytes: Uint8Array, read: (reader: DerReader) => T, maxDepth?: number): T {
  const reader = new DerReader(bytes, maxDepth);
  const value = read(reader);
  reader.expectEnd();
  return value;
}

/** Universal types are primitive in DER, except SEQUENCE, SET and the two that hold one (X.690 §10.2). */
function isMisconstructed(tag: number): boolean {
  if ((tag & 0xc0) !== 0) return false;
  const number = tag & 0x1f;
  const mustBeConstructed = number === 0x10 || number === 0x11 || number === 0x08 || number === 0x0b;
  return number === 0 || mustBeConstructed !== ((tag & CONSTRUCTED) !== 0);
}

/** Order of X.690 §11.6: byte by byte, the shorter one as if padded with zeros. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
