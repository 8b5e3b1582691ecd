import { ed448 } from '@noble/curves/ed448.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesEqual } from '@testudo/codec';
import { fits, misfit } from '../algorithms.ts';
import { CryptoError } from '../errors.ts';
import { isMlDsa } from '../noble-ml-dsa.ts';
import {
  HASH_LENGTH,
  type HashName,
  type PrivateKey,
  type PublicKey,
  type SignatureAlgorithm,
} from '../provider.ts';
import type { ParsedCurveKey, ParsedRsaKey, PssRestriction } from '../spki.ts';
import { EC_CURVES } from './curves.ts';
import { digest } from './hashes.ts';
import { privateParts, publicParts, rsaNumbers } from './keys.ts';
import { mlDsa } from './ml-dsa.ts';
import type { ParsedPrivateKey } from './pkcs8.ts';
import { randomBytes } from './random.ts';
import { rsaPrivateOperation, rsaPublicOperation } from './rsa.ts';
import { encodePkcs1, encodePss, frame, verifyPss } from './rsa-padding.ts';

/** ECDSA nonces are those of RFC 6979 §3.2, from the key and the message: no randomness can fail them. */
export function sign(algorithm: SignatureAlgorithm, key: PrivateKey, data: Uint8Array): Uint8Array {
  if (!fits(algorithm, key.kind)) throw misfit(algorithm, key.kind.type);
  if (isMlDsa(algorithm.name)) return mlDsa.sign(key, data);
  const parts = privateParts(key);
  switch (parts.type) {
    case 'ec': {
      const { curve } = EC_CURVES[parts.curve];
      return curve.sign(ecdsaDigest(algorithm, data), parts.secret, ECDSA_OPTIONS);
    }
    case 'ed25519':
      return ed25519.sign(data, parts.secret);
    case 'ed448':
      return ed448.sign(data, parts.secret);
    default:
      return signRsa(algorithm, parts, key, data);
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
    if (isMlDsa(algorithm.name)) return mlDsa.verify(key, data, signature);
    const parts = publicParts(key);
    if ('point' in parts) return verifyCurve(algorithm, parts, data, signature);
    return 'modulus' in parts && verifyRsa(algorithm, parts, data, signature);
  } catch {
    return false; // noble throws on what is not even shaped like a signature
  }
}

export function rsaEncrypt(key: PublicKey, message: Uint8Array): Uint8Array {
  if (key.kind.type !== 'rsa') throw new CryptoError('bad-key', 'RSA encryption needs an RSA key');
  const numbers = rsaNumbers(publicParts(key) as ParsedRsaKey);
  const padded = frame(2, nonZeroBytes(numbers.length - message.length - 3), message);
  if (padded === undefined)
    throw new CryptoError('bad-length', `a message of ${message.length} bytes is too long for the RSA key`);
  return rsaPublicOperation(numbers, padded)!;
}

/**
 * Not here. RSA key transport is only safe when decryption takes the same time for every ciphertext, down to the
 * length of the number that comes out (RFC 5246 §7.4.7.1), and BigInt cannot promise that. Always `unsupported`.
 */
export function rsaDecryptRaw(_key: PrivateKey, _ciphertext: Uint8Array): Uint8Array {
  throw new CryptoError('unsupported', 'this provider cannot decrypt RSA in constant time');
}

/** Signatures are DER, of any s: only Bitcoin demands the lower one. */
const ECDSA_OPTIONS = { prehash: false, lowS: false, format: 'der' } as const;

function verifyCurve(
  algorithm: SignatureAlgorithm,
  { kind, point }: ParsedCurveKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (kind.type === 'ec') {
    const { curve } = EC_CURVES[kind.curve];
    return curve.verify(signature, ecdsaDigest(algorithm, data), point, ECDSA_OPTIONS);
  }
  // Strict RFC 8032 §5.1.7, §5.2.7 rather than ZIP 215, noble's default: encodings must be canonical, as with OpenSSL.
  return kind.type === 'ed25519'
    ? ed25519.verify(signature, data, point, { zip215: false })
    : ed448.verify(signature, data, point, { zip215: false });
}

function verifyRsa(
  algorithm: SignatureAlgorithm,
  key: ParsedRsaKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const encoded = rsaPublicOperation(rsaNumbers(key), signature);
  if (encoded === undefined) return false;
  if (algorithm.name === 'rsa-pss') {
    const { hash } = algorithm;
    return isAllowed(hash, key.restriction) && verifyPss(hash, data, key.kind.bits, encoded);
  }
  if (algorithm.name !== 'rsa-pkcs1') return false;
  const expected = encodePkcs1(algorithm.hash, data, key.modulus.length);
  return expected !== undefined && bytesEqual(expected, encoded);
}

function signRsa(
  algorithm: SignatureAlgorithm,
  parts: RsaParts,
  key: PrivateKey,
  data: Uint8Array,
): Uint8Array {
  const encoded = encodeForRsa(algorithm, parts, 'bits' in key.kind ? key.kind.bits : 0, data);
  if (encoded === undefined) throw misfit(algorithm, parts.type);
  return rsaPrivateOperation(parts.rsa, encoded);
}

function encodeForRsa(
  algorithm: SignatureAlgorithm,
  parts: RsaParts,
  bits: number,
  data: Uint8Array,
): Uint8Array | undefined {
  if (algorithm.name === 'rsa-pkcs1') return encodePkcs1(algorithm.hash, data, parts.rsa.length);
  if (algorithm.name !== 'rsa-pss' || !isAllowed(algorithm.hash, parts.restriction)) return undefined;
  return encodePss(algorithm.hash, data, bits, randomBytes(HASH_LENGTH[algorithm.hash]));
}

type RsaParts = Extract<ParsedPrivateKey, { readonly rsa: unknown }>;

/** RFC 4055 §3.3: the parameters of a key limit what it may be used with. */
function isAllowed(hash: HashName, restriction: PssRestriction | undefined): boolean {
  return (
    restriction === undefined ||
    (restriction.hash === hash &&
      restriction.maskHash === hash &&
      restriction.minSaltLength <= HASH_LENGTH[hash])
  );
}

function nonZeroBytes(length: number): Uint8Array {
  const bytes = randomBytes(Math.max(0, length));
  for (let i = 0; i < bytes.length; i++) while (bytes[i] === 0) bytes[i] = randomBytes(1)[0]!;
  return bytes;
}

/** The digest that ECDSA signs. */
function ecdsaDigest(algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array {
  if (algorithm.name !== 'ecdsa') throw misfit(algorithm, 'ec');
  return digest(algorithm.hash, data);
}
