export {
  compareBytes,
  DER_MAX_DEPTH,
  type DerBits,
  type DerElement,
  DerReader,
  decodeDer,
} from './reader.ts';
export { decodeDerString } from './strings.ts';
export { contextConstructedTag, contextTag, Tag, tagName } from './tags.ts';
export { decodeDerTime } from './time.ts';
export * as der from './write.ts';
