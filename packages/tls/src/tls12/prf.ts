import { concat, utf8 } from '@testudo/codec';
import type { CryptoProvider, HashName } from '@testudo/crypto';

/** PRF(secret, label, seed) with P_hash (RFC 5246 §5); `length` in bytes. */
export function prf(
  provider: CryptoProvider,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Uint8Array {
  const labelAndSeed = concat(utf8(label), seed);
  const output = new Uint8Array(length);
  let a = labelAndSeed;
  for (let at = 0; at < length; ) {
    a = provider.hmac(hash, secret, a);
    const block = provider.hmac(hash, secret, concat(a, labelAndSeed));
    output.set(block.subarray(0, length - at), at);
    at += block.length;
  }
  return output;
}
