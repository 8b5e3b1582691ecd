import { randomFillSync, timingSafeEqual } from 'node:crypto';

/**
 * Random bytes, drawn from a pool because a call into OpenSSL costs the same for 16 bytes as for thousands.
 * Each byte is handed out once and erased from the pool as it leaves.
 */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (length > POOL_LENGTH / 4) return randomFillSync(bytes);
  if (used + length > POOL_LENGTH) {
    randomFillSync(pool);
    used = 0;
  }
  const end = used + length;
  for (let i = 0, at = used; at < end; i++, at++) bytes[i] = pool[at]!;
  pool.fill(0, used, end);
  used = end;
  return bytes;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const POOL_LENGTH = 4096;
const pool = new Uint8Array(POOL_LENGTH);
let used = POOL_LENGTH;
