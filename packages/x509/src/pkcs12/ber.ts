import { concat, DecodeError, type DerReader, decodeDer, der, Tag } from '@testudo/codec';

/** Levels of nesting; PKCS#12 stays under 10 in each of its layers. */
const MAX_DEPTH = 24;

/**
 * As `decodeDer`, for formats that are BER and not DER (PKCS#12, CMS): what is not DER is made so first, that is
 * indefinite lengths definite and constructed strings whole. Other liberties of BER stay refused. Throws DecodeError.
 */
export function decodeBer<T>(bytes: Uint8Array, read: (reader: DerReader) => T): T {
  if (!hasIndefiniteLength(bytes)) return decodeDer(bytes, read);
  const [whole, end] = toDer(bytes, 0, bytes.length, MAX_DEPTH);
  if (end !== bytes.length) throw new DecodeError('trailing-bytes', 'bytes after the end', end);
  return decodeDer(whole, read);
}

/** The first value in DER or BER, without what stands behind it. Throws DecodeError. */
export function firstValue(bytes: Uint8Array): Uint8Array {
  if (hasIndefiniteLength(bytes)) return toDer(bytes, 0, bytes.length, MAX_DEPTH)[0];
  if (bytes.length < 2) throw new DecodeError('truncated', 'a value is missing', 0);
  const { value, contentAt } = readLength(bytes, 1, bytes.length);
  return bytes.subarray(0, contentAt + value!);
}

/** All who write BER begin with it. */
function hasIndefiniteLength(bytes: Uint8Array): boolean {
  return bytes[1] === 0x80;
}

/** One value as DER, and where it ends. */
function toDer(bytes: Uint8Array, at: number, limit: number, depth: number): [Uint8Array, number] {
  if (depth === 0) throw new DecodeError('bad-value', 'nested too deep', at);
  const tag = bytes[at];
  if (tag === undefined || at + 2 > limit) throw new DecodeError('truncated', 'a value is missing', at);
  if ((tag & 0x1f) === 0x1f) throw new DecodeError('bad-value', 'a tag number over 30', at);
  const length = readLength(bytes, at + 1, limit);
  const isConstructed = (tag & 0x20) !== 0;
  if (!isConstructed) {
    if (length.value === undefined)
      throw new DecodeError('bad-length', 'a primitive value of indefinite length', at);
    const end = length.contentAt + length.value;
    return [der.element(tag, bytes.subarray(length.contentAt, end)), end];
  }
  const parts: Uint8Array[] = [];
  const end = length.value === undefined ? undefined : length.contentAt + length.value;
  let next = length.contentAt;
  while (end === undefined ? !isEndOfContents(bytes, next, limit) : next < end) {
    const [part, after] = toDer(bytes, next, end ?? limit, depth - 1);
    parts.push(part);
    next = after;
  }
  const after = end ?? next + 2;
  if (tag === (Tag.octetString | 0x20)) return [der.octetString(joined(parts, at)), after];
  // [0] IMPLICIT OCTET STRING, as the ciphertext in EncryptedContentInfo: in parts when it is constructed.
  if (
    tag === 0xa0 &&
    parts.length > 0 &&
    end === undefined &&
    parts.every((part) => part[0] === Tag.octetString)
  )
    return [joinedImplicit(parts, at), after];
  return [der.element(tag, ...parts), after];
}

/** Several OCTET STRINGs in `[0]`, one after the other, are one string in parts; a single one may be a value inside. */
function joinedImplicit(parts: readonly Uint8Array[], at: number): Uint8Array {
  if (parts.length === 1) return der.element(0xa0, ...parts);
  return der.element(0x80, joined(parts, at));
}

function joined(parts: readonly Uint8Array[], at: number): Uint8Array {
  return concat(
    ...parts.map((part) =>
      decodeDer(part, (reader) => {
        if (reader.peek() !== Tag.octetString)
          throw new DecodeError('bad-value', 'a string made of parts that are not strings', at);
        return reader.octetString();
      }),
    ),
  );
}

function isEndOfContents(bytes: Uint8Array, at: number, limit: number): boolean {
  if (at + 2 > limit) throw new DecodeError('truncated', 'an indefinite length has no end', at);
  return bytes[at] === 0 && bytes[at + 1] === 0;
}

interface Length {
  /** Undefined: indefinite. */
  readonly value: number | undefined;
  readonly contentAt: number;
}

/** Any form of a length, also with needless bytes. */
function readLength(bytes: Uint8Array, at: number, limit: number): Length {
  const first = bytes[at]!;
  if (first === 0x80) return { value: undefined, contentAt: at + 1 };
  const width = first < 0x80 ? 0 : first & 0x7f;
  if (width > 6 || at + 1 + width > limit) throw new DecodeError('bad-length', 'a length is cut short', at);
  let value = first < 0x80 ? first : 0;
  for (let i = 1; i <= width; i++) value = value * 256 + bytes[at + i]!;
  const contentAt = at + 1 + width;
  if (value > limit - contentAt) throw new DecodeError('truncated', `needs ${value} bytes`, at);
  return { value, contentAt };
}
