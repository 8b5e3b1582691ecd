import { concat } from '@testudo/codec';
import { CryptoError } from './errors.ts';
import type { CryptoProvider, KeyKind, SignatureAlgorithm } from './provider.ts';

/** Whether a key of this kind can make and check signatures of this algorithm. */
export function fits(algorithm: SignatureAlgorithm, kind: KeyKind): boolean {
  switch (algorithm.name) {
    case 'ecdsa':
      return kind.type === 'ec';
    case 'rsa-pkcs1':
      return kind.type === 'rsa';
    case 'rsa-pss':
      return kind.type === 'rsa' || kind.type === 'rsa-pss';
    // The remaining algorithms and types of keys have each other's names.
    default:
      return kind.type === algorithm.name;
  }
}

/**
 * What RSA pads and signs in place of a DigestInfo: both digests, 36 bytes, up to TLS 1.1 (RFC 4346 §4.7), or the data as
 * it is. Undefined for algorithms that have a DigestInfo.
 */
export function bareMessage(
  algorithm: SignatureAlgorithm,
  digest: CryptoProvider['digest'],
  data: Uint8Array,
): Uint8Array | undefined {
  if (algorithm.name !== 'rsa-pkcs1') return undefined;
  if (algorithm.hash === 'none') return data;
  return algorithm.hash === 'md5-sha1' ? concat(digest('md5', data), digest('sha1', data)) : undefined;
}

/** For a key that does not fit, or is too small for the hash. */
export function misfit(algorithm: SignatureAlgorithm, type: string): CryptoError {
  return new CryptoError('bad-key', `${algorithm.name} cannot sign with this key of type ${type}`);
}
