import { CryptoError } from './errors.ts';
import type { ScryptCost } from './provider.ts';

/** Bytes that one derivation may give: more than any key, IV and check value together need. */
const LONGEST_OUTPUT = 1024;

/** Throws `bad-length` on what PBKDF2 (RFC 8018 §5.2) does not take. */
export function checkPbkdf2(iterations: number, length: number): void {
  checkLength(length);
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > 0x7fff_ffff)
    throw new CryptoError('bad-length', 'PBKDF2 takes a positive number of iterations');
}

/** The bytes of memory that scrypt takes. Throws `bad-length` on costs that RFC 7914 §6 does not allow. */
export function checkScrypt({ N, r, p }: ScryptCost, length: number): number {
  checkLength(length);
  const isPowerOfTwo = Number.isSafeInteger(N) && N > 1 && Number.isInteger(Math.log2(N));
  if (!isPowerOfTwo || !isPositive(r) || !isPositive(p) || r * p >= 2 ** 30 || N * r >= 2 ** 32)
    throw new CryptoError('bad-length', 'scrypt cannot use these cost parameters');
  return 128 * r * (N + p + 2);
}

function checkLength(length: number): void {
  if (!isPositive(length) || length > LONGEST_OUTPUT)
    throw new CryptoError('bad-length', `a derived key has 1 to ${LONGEST_OUTPUT} bytes`);
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
