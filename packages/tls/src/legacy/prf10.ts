import { concat } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { prf } from '../tls12/prf.ts';

/**
 * PRF of TLS 1.0 and 1.1 (RFC 2246 §5, RFC 4346 §5): P_MD5 of the secret's first half, XORed with P_SHA-1 of its second
 * half. The halves share a byte when the secret's length is odd. `length` in bytes.
 */
export function prf10(
  provider: CryptoProvider,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Uint8Array {
  const half = Math.ceil(secret.length / 2);
  const output = prf(provider, 'md5', secret.subarray(0, half), label, seed, length);
  const other = prf(provider, 'sha1', secret.subarray(secret.length - half), label, seed, length);
  for (let i = 0; i < length; i++) output[i]! ^= other[i]!;
  return output;
}

/** MD5 and SHA-1 of `data`, one after the other. */
export function md5AndSha1(provider: CryptoProvider, data: Uint8Array): Uint8Array {
  return concat(provider.digest('md5', data), provider.digest('sha1', data));
}
