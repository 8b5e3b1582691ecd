import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { CHash } from '@noble/hashes/utils.js';
import { expandWith } from '../hkdf.ts';
import type { Hash, HashName } from '../provider.ts';

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
  return expandWith(hmac, hash, key, info, length);
}

/** Noble's function of each hash. */
export const HASHES: Readonly<Record<HashName, CHash>> = { md5, sha1, sha224, sha256, sha384, sha512 };
