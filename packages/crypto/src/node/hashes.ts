import crypto, { createHash, createHmac } from 'node:crypto';
import { expandWith } from '../hkdf.ts';
import { DIGEST_SIZES, type DigestName, HASH_LENGTH, type Hash, type HashName } from '../provider.ts';

/**
 * Digests, HMAC and HKDF over OpenSSL.
 *
 * A handshake makes about fifty of these calls on inputs of less than 100 bytes, where the cost is not the hash but
 * the objects around it. So: the one-shot `crypto.hash` rather than Hash and Hmac objects, and results taken as
 * Latin-1 strings, which V8 makes three to five times faster than a Buffer with its ArrayBuffer.
 */
export function digest(hash: DigestName, data: Uint8Array): Uint8Array {
  return fromLatin1(digestText(hash, data));
}

export function hash(name: HashName): Hash {
  const state = createHash(name);
  return {
    update(data: Uint8Array): void {
      state.update(data);
    },
    digest: () => fromLatin1(state.copy().digest('binary')),
  };
}

/** RFC 2104 §2: H((K ^ opad) || H((K ^ ipad) || data)), as two one-shot digests while the input is short. */
export function hmac(hash: DigestName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const { block } = DIGEST_SIZES[hash];
  if (key.length > block || data.length > SHORT)
    return fromLatin1(createHmac(hash, key).update(data).digest('binary'));
  scratch.set(data, block);
  return fromLatin1(shortHmac(hash, key, block, data.length));
}

/** The data, `length` bytes, lies in the scratch buffer behind room for one block. */
function shortHmac(hash: DigestName, key: Uint8Array, block: number, length: number): string {
  pad(0x36, block, key);
  const inner = digestText(hash, scratchUpTo(block + length));
  pad(0x5c, block, key);
  for (let i = 0; i < inner.length; i++) scratch[block + i] = inner.charCodeAt(i);
  const outer = digestText(hash, scratchUpTo(block + inner.length));
  scratch.fill(0, 0, block + Math.max(length, inner.length));
  return outer;
}

/** RFC 5869 §2.2. HMAC pads its key with zeros, so an empty salt and one of zeros are the same key. */
export function hkdfExtract(hash: HashName, salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return hmac(hash, salt, inputKey);
}

/** RFC 5869 §2.3. All that TLS expands but some exporters fits one block: HMAC(key, info || 1), cut to its length. */
export function hkdfExpand(hash: HashName, key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const { block } = DIGEST_SIZES[hash];
  if (!(length >= 0 && length <= HASH_LENGTH[hash]) || key.length > block || info.length >= SHORT)
    return expandWith(hmac, hash, key, info, length);
  scratch.set(info, block);
  scratch[block + info.length] = 1;
  return fromLatin1(shortHmac(hash, key, block, info.length + 1), length);
}

/** Longest HMAC input that goes through the scratch buffer, in bytes: over it, copying costs more than an object. */
const SHORT = 1024;
const scratch = new Uint8Array(144 + SHORT);

/** Views on its first bytes, by length: a handshake takes about a hundred, of a dozen lengths. */
const views: (Uint8Array | undefined)[] = new Array(scratch.length + 1).fill(undefined);

function scratchUpTo(length: number): Uint8Array {
  let view = views[length];
  if (view === undefined) {
    view = scratch.subarray(0, length);
    views[length] = view;
  }
  return view;
}

function pad(byte: number, block: number, key: Uint8Array): void {
  for (let i = 0; i < key.length; i++) scratch[i] = key[i]! ^ byte;
  scratch.fill(byte, key.length, block);
}

/** `crypto.hash` is in Node since 20.12, but not in every runtime that imitates Node. */
const digestText: (hash: DigestName, data: Uint8Array) => string =
  typeof crypto.hash === 'function'
    ? (hash, data) => crypto.hash(hash, data, 'binary')
    : (hash, data) => createHash(hash).update(data).digest('binary');

function fromLatin1(text: string, length: number = text.length): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
