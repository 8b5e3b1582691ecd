import { CryptoError } from './errors.ts';
import { type CryptoProvider, HASH_LENGTH, type HashName } from './provider.ts';

/**
 * HKDF-Expand over a provider's HMAC (RFC 5869 §2.3): T(i) = HMAC(key, T(i-1) || info || i).
 * Throws {@link CryptoError} `bad-length` over 255 hash lengths.
 */
export function expandWith(
  hmac: CryptoProvider['hmac'],
  hash: HashName,
  key: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const size = HASH_LENGTH[hash];
  if (!(length >= 0 && length <= 255 * size))
    throw new CryptoError('bad-length', 'HKDF-Expand yields at most 255 hash lengths');
  const input = new Uint8Array(size + info.length + 1);
  input.set(info, size);
  const out = new Uint8Array(length);
  for (let at = 0, counter = 1; at < length; at += size, counter++) {
    input[size + info.length] = counter;
    const block = hmac(hash, key, counter === 1 ? input.subarray(size) : input);
    out.set(at + size <= length ? block : block.subarray(0, length - at), at);
    input.set(block);
  }
  return out;
}
