import { expand } from '@noble/hashes/hkdf.js';
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { CHash } from '@noble/hashes/utils.js';
import { CryptoError } from '../errors.ts';
import { HASH_LENGTH, type Hash, type HashName } from '../provider.ts';

export function digest(hash: HashName, data: Uint8Array): Uint8Array {
  return HASHES[hash](data);
}

export function hash(name: HashName): Hash {
  const state = HASHES[name].create();
  return {
    update(data: Uint8Array): void {
      state.update(data);
    },
    digest: () => state.clone().digest(),
  };
}

export function hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  return nobleHmac(HASHES[hash], key, data);
}

/** RFC 5869 §2.2. HMAC pads its key with zeros, so an empty salt and one of zeros are the same key. */
export function hkdfExtract(hash: HashName, salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return hmac(hash, salt, inputKey);
}

export function hkdfExpand(hash: HashName, key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (!(length >= 0 && length <= 255 * HASH_LENGTH[hash]))
    throw new CryptoError('bad-length', 'HKDF-Expand gives at most 255 hash lengths');
  return length === 0 ? new Uint8Array(0) : expand(HASHES[hash], key, info, length);
}

/** Noble's function of each hash. */
export const HASHES: Readonly<Record<HashName, CHash>> = { md5, sha1, sha224, sha256, sha384, sha512 };
