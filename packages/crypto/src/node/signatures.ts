import {
  constants,
  type KeyObject,
  sign as opensslSign,
  verify as opensslVerify,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  type SignKeyObjectInput,
} from 'node:crypto';
import { bytesEqual } from '@testudo/codec';
import { bareMessage, fits, misfit } from '../algorithms.ts';
import { CryptoError } from '../errors.ts';
import { isMlDsa } from '../noble-ml-dsa.ts';
import { HASH_LENGTH, type PrivateKey, type PublicKey, type SignatureAlgorithm } from '../provider.ts';
import { plain } from './bytes.ts';
import { digest } from './hashes.ts';
import { privateHandle, publicHandle } from './keys.ts';
import { hasMlDsa, mlDsa } from './ml-dsa.ts';

export function sign(algorithm: SignatureAlgorithm, key: PrivateKey, data: Uint8Array): Uint8Array {
  if (!fits(algorithm, key.kind)) throw misfit(algorithm, key.kind.type);
  if (isMlDsa(algorithm.name) && !hasMlDsa()) return mlDsa.sign(key, data);
  const handle = privateHandle(key);
  try {
    const bare = bareMessage(algorithm, digest, data);
    if (bare !== undefined) return signBare(handle, bare);
    return plain(opensslSign(hashOf(algorithm), data, keyInput(algorithm, handle)));
  } catch {
    // An RSA key too small for the hash, or a PSS key restricted to another one.
    throw misfit(algorithm, key.kind.type);
  }
}

export function verify(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!fits(algorithm, key.kind)) return false;
  try {
    if (isMlDsa(algorithm.name) && !hasMlDsa()) return mlDsa.verify(key, data, signature);
    const bare = bareMessage(algorithm, digest, data);
    if (bare !== undefined) return verifyBare(publicHandle(key), bare, signature);
    return opensslVerify(hashOf(algorithm), data, keyInput(algorithm, publicHandle(key)), signature);
  } catch {
    return false;
  }
}

export function rsaEncrypt(key: PublicKey, message: Uint8Array): Uint8Array {
  if (key.kind.type !== 'rsa') throw new CryptoError('bad-key', 'RSA encryption needs an RSA key');
  // RFC 8017 §7.2.1: at least eight bytes of padding and three of frame.
  if (message.length > Math.ceil(key.kind.bits / 8) - 11)
    throw new CryptoError('bad-length', `a message of ${message.length} bytes is too long for the RSA key`);
  const handle = publicHandle(key);
  try {
    return plain(publicEncrypt({ key: handle, padding: constants.RSA_PKCS1_PADDING }, message));
  } catch {
    throw new CryptoError('bad-key', 'not a usable RSA key');
  }
}

export function rsaDecryptRaw(key: PrivateKey, ciphertext: Uint8Array): Uint8Array {
  if (key.kind.type !== 'rsa') throw new CryptoError('bad-key', 'RSA decryption needs an RSA key');
  if (ciphertext.length !== Math.ceil(key.kind.bits / 8))
    throw new CryptoError('bad-length', 'an RSA ciphertext must be as long as the modulus');
  const handle = privateHandle(key);
  try {
    return plain(privateDecrypt({ key: handle, padding: constants.RSA_NO_PADDING }, ciphertext));
  } catch {
    throw new CryptoError('bad-length', 'an RSA ciphertext must be less than the modulus');
  }
}

/**
 * PKCS#1 v1.5 without a DigestInfo (RFC 4346 §4.7), which `crypto.sign` cannot make. What OpenSSL gives back is compared
 * as a whole, so that nothing but this message in full padding passes.
 */
function signBare(key: KeyObject, message: Uint8Array): Uint8Array {
  return plain(privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, message));
}

function verifyBare(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  const recovered = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  return bytesEqual(recovered, message);
}

/** The Edwards curves and ML-DSA hash by themselves. */
function hashOf(algorithm: SignatureAlgorithm): string | null {
  return 'hash' in algorithm ? algorithm.hash : null;
}

function keyInput(algorithm: SignatureAlgorithm, key: KeyObject): KeyObject | SignKeyObjectInput {
  if (algorithm.name !== 'rsa-pss') return key;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: HASH_LENGTH[algorithm.hash] };
}
