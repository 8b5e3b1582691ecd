import { CryptoError } from '../errors.ts';
import { expandWith } from '../hkdf.ts';
import { type CryptoProvider, DIGEST_SIZES, type DigestName, HASH_LENGTH } from '../provider.ts';
import type { Place } from './memory.ts';
import type { Native } from './native.ts';

/** One-shot digests, HMAC and HKDF. All of a provider's hashing whose state no object has to keep. */
export type Digests = Pick<CryptoProvider, 'digest' | 'hmac' | 'hkdfExtract' | 'hkdfExpand'> & {
  /** The digest into a place of at least its length. False when this libcrypto lacks the hash, as a FIPS build lacks MD5. */
  digestInto(hash: DigestName, data: Uint8Array, place: Place): boolean;
};

/** `others` does what this libcrypto does not. */
export function digests(native: Native, others: CryptoProvider): Digests {
  const { lib, memory } = native;
  const context = lib.EVP_MD_CTX_new();
  if (context === 0) throw new Error('libcrypto has no memory for a hash');
  /** Data that is copied, and for HMAC a block before it. */
  const input = memory.reserve(MAX_BLOCK + SHORT);
  const output = memory.reserve(MAX_DIGEST);
  const known = new Map<DigestName, number>();

  function fetch(hash: DigestName): number {
    let md = known.get(hash);
    if (md === undefined) {
      md = lib.EVP_MD_fetch(0, memory.text(NAMES[hash] ?? hash), 0);
      if (md === 0) lib.ERR_clear_error();
      known.set(hash, md);
    }
    return md;
  }

  /** `length` bytes at an address, hashed to another. */
  function run(md: number, address: number, length: number, to: number): void {
    const isDone =
      lib.EVP_DigestInit_ex(context, md, 0) === 1 &&
      lib.EVP_DigestUpdate(context, address, length) === 1 &&
      lib.EVP_DigestFinal_ex(context, to, 0) === 1;
    if (!isDone) throw failure();
  }

  function failure(): Error {
    lib.ERR_clear_error();
    return new Error('libcrypto failed to hash');
  }

  function digestInto(hash: DigestName, data: Uint8Array, place: Place): boolean {
    const md = fetch(hash);
    if (md === 0) return false;
    const { length } = data;
    if (length <= SHORT) {
      input.bytes.set(data);
      run(md, input.address, length, place.address);
      input.bytes.fill(0, 0, length);
    } else {
      run(md, memory.addressOf(data), length, place.address);
    }
    return true;
  }

  function digest(hash: DigestName, data: Uint8Array): Uint8Array {
    if (!digestInto(hash, data, output)) return others.digest(hash, data);
    return taken(DIGEST_SIZES[hash].length);
  }

  /** What lies in `output`, which then holds nothing any more. */
  function taken(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = output.bytes[i]!;
    output.bytes.fill(0);
    return bytes;
  }

  /**
   * RFC 2104 §2: H((K ^ opad) || H((K ^ ipad) || data)). The data is short and lies in `input` behind room for one block; the
   * key is no longer than a block. The code comes to lie in `output`.
   */
  function shortHmac(md: number, hash: DigestName, key: Uint8Array, length: number): void {
    const { block, length: size } = DIGEST_SIZES[hash];
    const { bytes, address } = input;
    pad(bytes, 0x36, block, key);
    run(md, address, block + length, output.address);
    pad(bytes, 0x5c, block, key);
    for (let i = 0; i < size; i++) bytes[block + i] = output.bytes[i]!;
    run(md, address, block + size, output.address);
    bytes.fill(0, 0, block + Math.max(length, size));
  }

  function hmac(hash: DigestName, key: Uint8Array, data: Uint8Array): Uint8Array {
    const { block, length } = DIGEST_SIZES[hash];
    const md = key.length <= block && data.length <= SHORT ? fetch(hash) : 0;
    if (md === 0) return others.hmac(hash, key, data);
    input.bytes.set(data, block);
    shortHmac(md, hash, key, data.length);
    return taken(length);
  }

  return {
    digest,
    digestInto,
    hmac,
    // RFC 5869 §2.2. HMAC pads its key with zeros, so an empty salt and one of zeros are the same key.
    hkdfExtract: hmac,
    /** RFC 5869 §2.3. All that TLS expands but some exporters fits one block: HMAC(key, info || 1), cut to its length. */
    hkdfExpand(hash, key, info, length) {
      const { block } = DIGEST_SIZES[hash];
      if (!(length >= 0 && length <= 255 * HASH_LENGTH[hash]))
        throw new CryptoError('bad-length', 'HKDF-Expand yields at most 255 hash lengths');
      const isOneBlock = length <= HASH_LENGTH[hash] && key.length <= block && info.length < SHORT;
      const md = isOneBlock ? fetch(hash) : 0;
      if (md === 0) return expandWith(hmac, hash, key, info, length);
      input.bytes.set(info, block);
      input.bytes[block + info.length] = 1;
      shortHmac(md, hash, key, info.length + 1);
      return taken(length);
    },
  };
}

/** OpenSSL's names where they are not ours. */
const NAMES: Readonly<Partial<Record<DigestName, string>>> = {
  'sha512-224': 'SHA512-224',
  'sha512-256': 'SHA512-256',
};

/** Longest data that is copied, in bytes: over it the address of an array costs less. */
const SHORT = 512;
const MAX_BLOCK = Math.max(...Object.values(DIGEST_SIZES).map(({ block }) => block));
const MAX_DIGEST = 64;

function pad(bytes: Uint8Array, byte: number, block: number, key: Uint8Array): void {
  for (let i = 0; i < key.length; i++) bytes[i] = key[i]! ^ byte;
  bytes.fill(byte, key.length, block);
}
