import { bytesEqual, concat, der } from '@testudo/codec';
import { bareMessage } from '../algorithms.ts';
import { HASH_LENGTH, type HashName, type Pkcs1Hash } from '../provider.ts';
import { HASH_OIDS } from '../spki.ts';
import { digest } from './hashes.ts';

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2), or undefined when the modulus is too short for the hash. */
export function encodePkcs1(hash: Pkcs1Hash, data: Uint8Array, length: number): Uint8Array | undefined {
  const info = bareMessage({ name: 'rsa-pkcs1', hash }, digest, data) ?? digestInfo(hash as HashName, data);
  return frame(1, new Uint8Array(Math.max(0, length - info.length - 3)).fill(0xff), info);
}

function digestInfo(hash: HashName, data: Uint8Array): Uint8Array {
  return der.sequence(
    der.sequence(der.oid(oidOf(hash)), der.nullValue()),
    der.octetString(digest(hash, data)),
  );
}

/** `00 || type || padding || 00 || message`; undefined with less than the eight bytes of padding that are required. */
export function frame(type: 1 | 2, padding: Uint8Array, message: Uint8Array): Uint8Array | undefined {
  if (padding.length < 8) return undefined;
  return concat(Uint8Array.of(0, type), padding, Uint8Array.of(0), message);
}

/**
 * EMSA-PSS-ENCODE (RFC 8017 §9.1.1), as an integer of the modulus's length, or undefined when it is too short.
 *
 * @param bits length of the modulus.
 * @param salt as long as the hash.
 */
export function encodePss(
  hash: HashName,
  data: Uint8Array,
  bits: number,
  salt: Uint8Array,
): Uint8Array | undefined {
  const size = HASH_LENGTH[hash];
  const length = Math.ceil((bits - 1) / 8);
  const zeros = length - size - salt.length - 2;
  if (zeros < 0) return undefined;
  const mHash = pssDigest(hash, digest(hash, data), salt);
  const block = concat(new Uint8Array(zeros), Uint8Array.of(1), salt);
  mask(hash, mHash, block);
  block[0]! &= topMask(bits);
  const encoded = concat(block, mHash, Uint8Array.of(0xbc));
  return (bits - 1) % 8 === 0 ? concat(Uint8Array.of(0), encoded) : encoded;
}

/** EMSA-PSS-VERIFY (RFC 8017 §9.1.2) with a salt as long as the hash. `padded` is as long as the modulus. */
export function verifyPss(hash: HashName, data: Uint8Array, bits: number, padded: Uint8Array): boolean {
  const size = HASH_LENGTH[hash];
  const length = Math.ceil((bits - 1) / 8);
  if (length < padded.length && padded[0] !== 0) return false;
  const encoded = padded.subarray(padded.length - length);
  const split = length - size - 1;
  const zeros = split - size - 1;
  if (zeros < 0 || encoded[length - 1] !== 0xbc) return false;
  const mHash = encoded.subarray(split, length - 1);
  const block = encoded.slice(0, split);
  if (block[0]! & ~topMask(bits)) return false;
  mask(hash, mHash, block);
  block[0]! &= topMask(bits);
  for (let i = 0; i < zeros; i++) if (block[i] !== 0) return false;
  if (block[zeros] !== 1) return false;
  return bytesEqual(pssDigest(hash, digest(hash, data), block.subarray(zeros + 1)), mHash);
}

function pssDigest(hash: HashName, dataHash: Uint8Array, salt: Uint8Array): Uint8Array {
  return digest(hash, concat(new Uint8Array(8), dataHash, salt));
}

/** XORs MGF1 (RFC 8017 §B.2.1) of the seed over the block. */
function mask(hash: HashName, seed: Uint8Array, block: Uint8Array): void {
  for (let at = 0, counter = 0; at < block.length; counter++) {
    const part = digest(
      hash,
      concat(seed, Uint8Array.of(counter >>> 24, counter >> 16, counter >> 8, counter)),
    );
    for (let i = 0; i < part.length && at < block.length; i++, at++) block[at]! ^= part[i]!;
  }
}

/** The bits of the first byte that an encoding of `bits - 1` bits may use. */
function topMask(bits: number): number {
  return 0xff >> (8 * Math.ceil((bits - 1) / 8) - (bits - 1));
}

function oidOf(hash: HashName): string {
  return Object.entries(HASH_OIDS).find(([, name]) => name === hash)![0];
}
