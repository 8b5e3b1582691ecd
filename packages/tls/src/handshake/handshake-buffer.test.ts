import { bytesEqual } from '@testudo/codec';
import { expect, test } from 'vitest';
import { HandshakeBuffer } from './handshake-buffer.ts';

const LIMITS = { handshakeMessage: 131_396, certificateMessage: 102_400 };

/** A ClientHello of so many bytes, with its header. */
function helloOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length + 4);
  bytes.set([1, length >> 16, (length >> 8) & 0xff, length & 0xff]);
  return bytes;
}

test.each([
  [131_396, 16_384],
  [70_000, 16_384],
  [70_000, 1_000],
  [40_000, 1],
])('a message of %i bytes in pieces of %i takes no more memory than it is long', (length, piece) => {
  const buffer = new HandshakeBuffer(LIMITS);
  const whole = helloOf(length);
  for (let at = 0; at < whole.length; at += piece) {
    expect(buffer.next()).toBeUndefined();
    buffer.push(whole.subarray(at, at + piece));
  }
  const message = buffer.next();
  expect(bytesEqual(message!.raw, whole)).toBe(true);
  expect(message?.raw.buffer.byteLength).toBe(whole.length);
  expect(buffer.isEmpty).toBe(true);
});

test('what comes in the same piece after a message is kept', () => {
  const buffer = new HandshakeBuffer(LIMITS);
  const [first, second] = [helloOf(30_000), helloOf(9)];
  buffer.push(first.subarray(0, 20_000));
  expect(buffer.next()).toBeUndefined();
  buffer.push(Uint8Array.of(...first.subarray(20_000), ...second));
  expect(bytesEqual(buffer.next()!.raw, first)).toBe(true);
  expect(bytesEqual(buffer.next()!.raw, second)).toBe(true);
  expect(buffer.next()).toBeUndefined();
});
