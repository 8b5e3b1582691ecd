import { concat } from '@testudo/codec';
import { type CryptoProvider, DIGEST_SIZES, type DigestName } from '@testudo/crypto';
import type { PasswordWork } from './password-work.ts';

/** What a derived string is for (RFC 7292 §B.3). */
export const DERIVATION_ID = { key: 1, iv: 2, mac: 3 } as const;

export interface Pkcs12Derivation {
  readonly hash: DigestName;
  /** See `PasswordForms.bmp`. */
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly id: (typeof DERIVATION_ID)[keyof typeof DERIVATION_ID];
  /** Bytes wanted. */
  readonly length: number;
}

/** The key derivation of PKCS#12 (RFC 7292 §B.2). Throws CertificateError `budget-exceeded`. */
export function derivePkcs12(
  derivation: Pkcs12Derivation,
  provider: CryptoProvider,
  work: PasswordWork,
): Uint8Array {
  const { hash, password, salt, iterations, id, length } = derivation;
  const { length: u, block: v } = DIGEST_SIZES[hash];
  // Each step is a call: dearer than one of PBKDF2, which is a loop in native code.
  work.spend(2 * iterations * Math.ceil(length / u));
  const diversifier = new Uint8Array(v).fill(id);
  const input = concat(repeated(salt, v), repeated(password, v));
  const output = new Uint8Array(length);
  for (let at = 0; at < length; at += u) {
    let block = provider.digest(hash, concat(diversifier, input));
    for (let i = 1; i < iterations; i++) block = provider.digest(hash, block);
    output.set(block.subarray(0, length - at), at);
    const addend = repeated(block, v).subarray(0, v);
    for (let j = 0; j < input.length; j += v) addPlusOne(input.subarray(j, j + v), addend);
  }
  input.fill(0);
  return output;
}

/** As often as it takes to fill whole blocks of `v` bytes; nothing stays nothing. */
function repeated(bytes: Uint8Array, v: number): Uint8Array {
  const whole = new Uint8Array(v * Math.ceil(bytes.length / v));
  for (let i = 0; i < whole.length; i++) whole[i] = bytes[i % bytes.length]!;
  return whole;
}

/** block = block + addend + 1, big-endian, without the carry at the end. */
function addPlusOne(block: Uint8Array, addend: Uint8Array): void {
  let carry = 1;
  for (let i = block.length - 1; i >= 0; i--) {
    carry += block[i]! + addend[i]!;
    block[i] = carry & 0xff;
    carry >>= 8;
  }
}
