import { toHex } from '@testudo/codec';

/** Big-endian bytes to a non-negative integer (OS2IP, RFC 8017 §4.2). */
export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** A non-negative integer to exactly `length` bytes (I2OSP, RFC 8017 §4.1); it must fit. */
export function toBytes(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16).padStart(2 * length, '0');
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * `base ** exponent` mod `modulus`, for public values and for blinded ones: a BigInt takes the time it takes.
 * Every window of four exponent bits costs the same five steps.
 */
export function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const powers: bigint[] = [1n];
  for (let i = 1; i < 16; i++) powers.push((powers[i - 1]! * base) % modulus);
  let result = 1n;
  for (const digit of exponent.toString(16)) {
    for (let i = 0; i < 4; i++) result = (result * result) % modulus;
    result = (result * powers[Number.parseInt(digit, 16)]!) % modulus;
  }
  return result;
}

/** The inverse of `value` mod `modulus`, or undefined when they share a factor (extended Euclid). */
export function modularInverse(value: bigint, modulus: bigint): bigint | undefined {
  let [a, b] = [value % modulus, modulus];
  let [x, y] = [1n, 0n];
  while (a !== 0n) {
    const quotient = b / a;
    [a, b] = [b % a, a];
    [x, y] = [y - quotient * x, x];
  }
  if (b !== 1n) return undefined;
  return ((y % modulus) + modulus) % modulus;
}
