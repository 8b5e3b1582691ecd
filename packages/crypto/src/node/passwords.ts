import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { CryptoError } from '../errors.ts';
import { checkPbkdf2, checkScrypt } from '../password-parameters.ts';
import type { DigestName, ScryptCost } from '../provider.ts';
import { plain } from './bytes.ts';

/** RFC 8018 §5.2. */
export function pbkdf2(
  hash: DigestName,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  checkPbkdf2(iterations, length);
  return plain(pbkdf2Sync(password, salt, iterations, length, hash));
}

/** RFC 7914 §6. */
export function scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost, length: number): Uint8Array {
  const memory = checkScrypt(cost, length);
  const { N, r, p } = cost;
  try {
    // OpenSSL counts a little more than the table and the blocks.
    return plain(scryptSync(password, salt, length, { N, r, p, maxmem: memory + 65_536 }));
  } catch {
    throw new CryptoError('bad-length', 'scrypt cannot use these cost parameters');
  }
}
