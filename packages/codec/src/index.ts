export { fromBase64, fromBase64Url, toBase64, toBase64Url } from './base64.ts';
export { ascii, bytesEqual, concat, copyOf, fromHex, fromLatin1, toHex, toLatin1, utf8 } from './bytes.ts';
export { type Codec, decode, encode, readField, struct } from './codec.ts';
export {
  compareBytes,
  contextConstructedTag,
  contextTag,
  DER_MAX_DEPTH,
  type DerBits,
  type DerElement,
  DerReader,
  decodeDer,
  decodeDerString,
  decodeDerTime,
  der,
  Tag,
  tagName,
} from './der/index.ts';
export { DecodeError, type DecodeErrorCode, EncodeError } from './errors.ts';
export {
  constant,
  empty,
  fixed,
  list,
  mapped,
  opaque,
  type Prefix,
  rest,
  scoped,
  uint8,
  uint16,
  uint24,
  uint32,
  uint64,
} from './fields.ts';
export { decodeOid, encodeOid, type Oid } from './oid.ts';
export { decodePem, encodePem, type PemBlock } from './pem.ts';
export { Reader, type Tracer } from './reader.ts';
export { Writer } from './writer.ts';
