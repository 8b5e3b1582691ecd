import { DecodeError, EncodeError } from './errors.ts';

/**
 * An object identifier as dotted decimals: `1.2.840.113549.1.1.11`. Equal identifiers are equal strings,
 * since DER leaves each identifier one encoding only.
 */
export type Oid = string;

/** Longest content accepted, in bytes. Real identifiers stay under 40; the limit keeps big arcs cheap. */
const MAX_OID_LENGTH = 128;

/** Dotted form of an OBJECT IDENTIFIER's content (X.690 §8.19). Throws {@link DecodeError}. */
export function decodeOid(content: Uint8Array, offset = 0): Oid {
  const length = content.length;
  if (length === 0 || length > MAX_OID_LENGTH)
    throw new DecodeError('bad-length', `an object identifier of ${length} bytes`, offset);
  if (content[length - 1]! & 0x80)
    throw new DecodeError('truncated', 'the last arc of an object identifier is cut short', offset);
  let text = '';
  for (let at = 0; at < length; ) {
    if (content[at] === 0x80)
      throw new DecodeError('bad-value', 'an arc of an object identifier is padded', offset + at);
    let arc = 0;
    const start = at;
    let byte: number;
    do {
      byte = content[at++]!;
      arc = arc * 128 + (byte & 0x7f);
    } while (byte & 0x80);
    const exact = at - start <= 7 ? arc : bigArc(content.subarray(start, at));
    text = text === '' ? firstTwoArcs(exact) : `${text}.${exact}`;
  }
  return text;
}

/** Content bytes of an OBJECT IDENTIFIER. Throws {@link EncodeError} when `oid` is not one. */
export function encodeOid(oid: Oid): Uint8Array {
  const arcs = oid.split('.');
  if (arcs.length < 2 || arcs.some((arc) => !/^(0|[1-9][0-9]*)$/.test(arc))) throw notAnOid(oid);
  const [first, second, ...others] = arcs.map(BigInt) as [bigint, bigint, ...bigint[]];
  if (first > 2n || (first < 2n && second > 39n)) throw notAnOid(oid);
  const bytes: number[] = [];
  for (const arc of [first * 40n + second, ...others]) {
    const digits: number[] = [Number(arc & 0x7fn)];
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(...digits.reverse());
  }
  if (bytes.length > MAX_OID_LENGTH) throw notAnOid(oid);
  return Uint8Array.from(bytes);
}

/** Arcs that do not fit a double exactly, as those of UUIDs under 2.25. */
function bigArc(digits: Uint8Array): bigint {
  let arc = 0n;
  for (const digit of digits) arc = (arc << 7n) | BigInt(digit & 0x7f);
  return arc;
}

/** The first sub-identifier holds two arcs: 40 × first + second (X.690 §8.19.4). */
function firstTwoArcs(value: number | bigint): string {
  if (value < 40) return `0.${value}`;
  if (value < 80) return `1.${Number(value) - 40}`;
  return `2.${typeof value === 'bigint' ? value - 80n : value - 80}`;
}

function notAnOid(text: string): EncodeError {
  return new EncodeError(`"${text}" is not an object identifier`);
}
