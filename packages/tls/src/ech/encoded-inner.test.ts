import { concat, DecodeError } from '@testudo/codec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { decodeInner, encodeInner } from './encoded-inner.ts';

// EncodedClientHelloInner (RFC 9849 §5.1, §6.1.3).

type Raw = readonly [id: number, data: Uint8Array];
const SESSION = new Uint8Array(32).fill(5);

function hello(extensions: readonly Raw[], name?: string, legacySessionId = SESSION): Uint8Array {
  const block = new ExtensionBlock('client_hello');
  if (name !== undefined) block.set(serverName, serverNamesFor(name));
  for (const [id, data] of extensions) block.setRaw(id, data);
  return encodeMessage(clientHello, {
    legacyVersion: 0x0303,
    random: new Uint8Array(32).fill(7),
    legacySessionId,
    cipherSuites: [0x1301],
    legacyCompressionMethods: [0],
    extensions: block,
  });
}

const raw = (id: number, length: number): Raw => [id, new Uint8Array(length).fill(id)];
/** Numbers that no extension of the table has. */
const [A, B, C, D, E, F] = [0x7001, 0x7002, 0x7003, 0x7004, 0x7005, 0x7006];

describe('references', () => {
  const outer = hello([raw(A, 3), raw(D, 4), raw(B, 5), raw(C, 6), raw(E, 7), raw(F, 8)]);

  test('stand for extensions of the outer hello, with others between them or not', () => {
    const inner = hello([raw(E, 1), raw(A, 3), raw(B, 5), raw(C, 6), raw(F, 2)]);
    const encoded = encodeInner(inner, new Set([A, B, C]), 0);
    expect(encoded.length).toBeLessThan(inner.length + 32);
    expect(decodeInner(encoded, outer)).toEqual(inner);
  });

  test('are none where nothing is repeated', () => {
    const inner = hello([raw(E, 1)]);
    expect(decodeInner(encodeInner(inner, new Set([A]), 0), outer)).toEqual(inner);
  });

  test('come back as they were, whatever is repeated', () => {
    const list = fc.uniqueArray(fc.integer({ min: 0x7000, max: 0x7020 }), { maxLength: 12 });
    fc.assert(
      fc.property(list, list, fc.nat({ max: 12 }), (repeated, own, at) => {
        const others = own.filter((id) => !repeated.includes(id)).map((id) => raw(id, id & 7));
        const shared = repeated.map((id) => raw(id, 40));
        const place = Math.min(at, others.length);
        const inner = hello([...others.slice(0, place), ...shared, ...others.slice(place)], 'a.example');
        const outerHello = hello([...shared, ...others.map(([id]) => raw(id, 9))], 'public.example');
        expect(decodeInner(encodeInner(inner, new Set(repeated), 0), outerHello)).toEqual(inner);
      }),
    );
  });

  test('cannot make a hello longer than both together', () => {
    const big = hello([raw(A, 60_000)]);
    const [body] = [encodeInner(hello([raw(A, 60_000), raw(B, 9)]), new Set([A]), 0)];
    expect(decodeInner(body!, big).length).toBeLessThan(big.length + body!.length);
    const both = encodeInner(hello([raw(A, 40_000), raw(B, 20_000)]), new Set([A]), 0);
    expect(() => decodeInner(both, big)).toThrow(TlsError);
  });

  test('of 127 extensions take no longer than one walk', () => {
    const all = Array.from({ length: 127 }, (_, index) => raw(0x7000 + index, 2));
    const inner = hello(all);
    expect(decodeInner(encodeInner(inner, new Set(all.map(([id]) => id)), 0), hello(all))).toEqual(inner);
  });
});

describe('padding', () => {
  const sizes = (lengths: readonly number[], maximum: number): number[] =>
    lengths.map((length) => encodeInner(hello([raw(A, 10)], 'x'.repeat(length)), new Set(), maximum).length);

  test('makes all names up to the longest alike', () => {
    expect(new Set(sizes([1, 2, 30, 63, 64], 64)).size).toBe(1);
    expect(new Set(sizes([1, 100, 255], 255)).size).toBe(1);
  });

  test('makes a hello without a name as long as one with the longest', () => {
    const without = encodeInner(hello([raw(A, 10)]), new Set(), 64).length;
    expect([without]).toEqual(sizes([64], 64));
  });

  test('goes up to a multiple of 32, and adds less than 32 bytes for that', () => {
    for (let length = 1; length <= 70; length++) {
      const inner = hello([], 'x'.repeat(length));
      const [size] = [encodeInner(inner, new Set(), 0).length];
      // Without header and session ID.
      const bare = inner.length - 4 - 32;
      expect(size! % 32).toBe(0);
      expect(size! - bare).toBeGreaterThanOrEqual(0);
      expect(size! - bare).toBeLessThan(32);
    }
  });

  test('is zeros, and nothing else is taken for it', () => {
    const encoded = encodeInner(hello([raw(A, 3)]), new Set(), 0);
    const outer = hello([raw(B, 1)]);
    expect(() => decodeInner(concat(encoded, new Uint8Array(500)), outer)).not.toThrow();
    expect(() => decodeInner(concat(encoded, Uint8Array.of(1)), outer)).toThrow(/padding/);
  });
});

test('bytes that were changed or cut anywhere are read or refused with a typed error', () => {
  const outer = hello([raw(A, 3), raw(B, 4), raw(C, 5)], 'public.example');
  const inner = hello([raw(E, 1), raw(A, 3), raw(B, 4), raw(C, 5)], 'hidden.example');
  const encoded = encodeInner(inner, new Set([A, B, C]), 40);
  const expectTyped = (bytes: Uint8Array) => {
    try {
      expect(decodeInner(bytes, outer).length).toBeLessThan(bytes.length + outer.length);
    } catch (error) {
      expect(error instanceof DecodeError || error instanceof TlsError).toBe(true);
    }
  };
  for (let at = 0; at < encoded.length; at++) {
    for (const change of [1, 2, 0x10, 0x80, 0xff]) {
      const copy = new Uint8Array(encoded);
      copy[at]! ^= change;
      expectTyped(copy);
    }
    expectTyped(encoded.subarray(0, at));
  }
});
