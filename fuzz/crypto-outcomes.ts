import { toHex } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { Random } from './random.ts';

/** One comparison: what is wrong, or undefined. */
export type Case = (random: Random, own: CryptoProvider, other: CryptoProvider) => string | undefined;

const POOL = new Random(1).bytes(256 * 1024);

/** Bytes that are as good as random, made quickly. */
export function someBytes(random: Random, length: number): Uint8Array {
  const start = random.below(POOL.length - length);
  return POOL.slice(start, start + length);
}

/** What came of a call, in a form to be compared: bytes, another value, or how it failed. */
export function outcome(call: () => unknown): string {
  try {
    const result = call();
    return result instanceof Uint8Array ? toHex(result) : String(result);
  } catch (error) {
    const { name, code } = error as { name?: string; code?: string };
    if (name !== 'CryptoError') throw error;
    return `fails: ${code}`;
  }
}

/** Whether a place holds the whole of a text. */
export function hasAll(place: Uint8Array, text: Uint8Array): boolean {
  return Buffer.from(place).includes(Buffer.from(text));
}
