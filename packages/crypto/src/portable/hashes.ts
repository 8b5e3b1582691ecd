import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512, sha512_224, sha512_256 } from '@noble/hashes/sha2.js';
import { sha3_224, sha3_256, sha3_384, sha3_512 } from '@noble/hashes/sha3.js';
import type { CHash } from '@noble/hashes/utils.js';
import { expandWith } from '../hkdf.ts';
import type { DigestName, Hash, HashName } from '../provider.ts';

export function digest(hash: DigestName, data: Uint8Array): Uint8Array {
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

export function hmac(hash: DigestName, key: Uint8Array, data: Uint8Array): Uint8Array {
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
export const HASHES: Readonly<Record<DigestName, CHash>> = {
  md5,
  sha1,
  sha224,
  sha256,
  sha384,
  sha512,
  ripemd160,
  'sha512-224': sha512_224,
  'sha512-256': sha512_256,
  'sha3-224': sha3_224,
  'sha3-256': sha3_256,
  'sha3-384': sha3_384,
  'sha3-512': sha3_512,
};
