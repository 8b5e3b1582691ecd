/**
 * GREASE (RFC 8701): values that mean nothing and are sent so that nobody comes to rely on knowing every value. Whoever
 * receives one passes over it; whoever is answered with one has a broken peer.
 */
export const GREASE_VALUES: readonly number[] = Array.from({ length: 16 }, (_, i) => i * 0x1010 + 0x0a0a);

/** True for a reserved suite, group, version, signature scheme or extension (RFC 8701 §2). */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/** PskKeyExchangeModes of RFC 8701 §2. */
export const GREASE_PSK_MODES: readonly number[] = [0x0b, 0x2a, 0x49, 0x68, 0x87, 0xa6, 0xc5, 0xe4];
