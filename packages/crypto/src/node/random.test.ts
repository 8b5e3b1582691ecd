import { toHex } from '@testudo/codec';
import { expect, test } from 'vitest';
import { equal, randomBytes } from './random.ts';

test('no bytes are handed out twice, across refills of the pool', () => {
  const seen = new Set<string>();
  // Sizes that leave the pool at every kind of remainder; together a dozen pools.
  for (let i = 0; i < 1500; i++) seen.add(toHex(randomBytes(16 + (i % 33))).slice(0, 32));
  expect(seen.size).toBe(1500);
});

test("random bytes are the caller's own", () => {
  const bytes = randomBytes(32);
  expect(bytes.buffer.byteLength).toBe(32);
  expect(bytes.constructor).toBe(Uint8Array);
});

test.each([0, 1, 1024, 1025, 4096, 70000])('gives %i bytes', (length) => {
  const bytes = randomBytes(length);
  expect(bytes.length).toBe(length);
  // A tail that stayed zero would be a filling that stopped early.
  if (length >= 1024) expect(bytes.subarray(length - 16).some((byte) => byte !== 0)).toBe(true);
});

test('compares secrets', () => {
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3))).toBe(false);
  expect(equal(new Uint8Array(0), new Uint8Array(0))).toBe(true);
});
