export { ascii, bytesEqual, concat, fromHex, toHex, utf8 } from './bytes.ts';
export { type Codec, decode, encode, readField, struct } from './codec.ts';
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
export { Reader, type Tracer } from './reader.ts';
export { Writer } from './writer.ts';
