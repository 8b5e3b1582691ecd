/** Non-negative integers as big-endian bytes, of public numbers: all of this takes the time it takes. */

/** The same number in as few bytes as it takes; zero is one byte. A view on the input. */
export function withoutLeadingZeros(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  return magnitude.subarray(start);
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`; neither has leading zeros. */
export function compareMagnitudes(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Bits of a number without leading zeros. */
export function bitLength(magnitude: Uint8Array): number {
  return magnitude.length === 0 ? 0 : 8 * magnitude.length - (Math.clz32(magnitude[0]!) - 24);
}

export function isEven(magnitude: Uint8Array): boolean {
  return (magnitude[magnitude.length - 1]! & 1) === 0;
}

/** Of a number without leading zeros. */
export function isZeroOrOne(magnitude: Uint8Array): boolean {
  return magnitude.length === 0 || (magnitude.length === 1 && magnitude[0]! <= 1);
}
