import { pbkdf2 as noblePbkdf2 } from '@noble/hashes/pbkdf2.js';
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js';
import { CryptoError } from '../errors.ts';
import { checkPbkdf2, checkScrypt } from '../password-parameters.ts';
import type { DigestName, ScryptCost } from '../provider.ts';
import { HASHES } from './hashes.ts';

/** RFC 8018 §5.2. */
export function pbkdf2(
  hash: DigestName,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  checkPbkdf2(iterations, length);
  return noblePbkdf2(HASHES[hash], password, salt, { c: iterations, dkLen: length });
}

/** RFC 7914 §6. */
export function scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost, length: number): Uint8Array {
  const memory = checkScrypt(cost, length);
  const { N, r, p } = cost;
  try {
    return nobleScrypt(password, salt, { N, r, p, dkLen: length, maxmem: memory + 65_536 });
  } catch {
    throw new CryptoError('bad-length', 'scrypt cannot use these cost parameters');
  }
}
