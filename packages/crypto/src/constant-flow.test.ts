import { concat, fromHex, toHex } from '@testudo/codec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  copySecretOffset,
  equalBytesMask,
  equalMask,
  lessThanMask,
  select,
  selectBytes,
  unpadPkcs1,
} from './constant-flow.ts';

const badLength = expect.objectContaining({ name: 'CryptoError', code: 'bad-length' }) as unknown as Error;
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff_fffe, 0x7fff_ffff];
const pairs = edges.flatMap((a) => edges.map((b) => [a, b] as const));

describe('masks', () => {
  test('are all ones for what is so, and zero for what is not', () => {
    for (const [a, b] of pairs) {
      expect(equalMask(a, b)).toBe(a === b ? -1 : 0);
      expect(lessThanMask(a, b)).toBe(a < b ? -1 : 0);
    }
  });

  test('are right for any integers', () => {
    const integer = fc.integer({ min: 0, max: 0x7fff_ffff });
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        expect(equalMask(a, b)).toBe(a === b ? -1 : 0);
        expect(lessThanMask(a, b)).toBe(a < b ? -1 : 0);
        expect(select(-1, a, b)).toBe(a);
        expect(select(0, a, b)).toBe(b);
      }),
    );
  });

  test('choose bytes', () => {
    const [a, b] = [fromHex('00ff80'), fromHex('fe0102')];
    expect(selectBytes(-1, a, b)).toEqual(a);
    expect(selectBytes(0, a, b)).toEqual(b);
    expect(selectBytes(-1, a, b)).not.toBe(a);
    expect(equalBytesMask(a, a.slice())).toBe(-1);
    for (let bit = 0; bit < 24; bit++) {
      const other = a.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(equalBytesMask(a, other)).toBe(0);
    }
    expect(() => selectBytes(0, a, b.subarray(1))).toThrowError(badLength);
    expect(() => equalBytesMask(a, b.subarray(1))).toThrowError(badLength);
  });
});

describe('a copy from a secret place', () => {
  const source = Uint8Array.from({ length: 300 }, (_, i) => (7 * i + 1) & 0xff);

  test('is what slice gives, at every offset', () => {
    for (const length of [0, 1, 20, 32])
      for (let offset = 0; offset <= source.length - length; offset++)
        expect(copySecretOffset(source, offset, length)).toEqual(source.slice(offset, offset + length));
  });

  test('looks between its bounds only', () => {
    expect(copySecretOffset(source, 50, 4, 50, 60)).toEqual(source.slice(50, 54));
    expect(copySecretOffset(source, 60, 4, 50, 60)).toEqual(source.slice(60, 64));
    expect(copySecretOffset(source, 49, 4, 50, 60)).toEqual(new Uint8Array(4));
    expect(copySecretOffset(source, 61, 4, 50, 60)).toEqual(new Uint8Array(4));
  });

  test.each([
    [301, 0, undefined],
    [4, -1, undefined],
    [4, 10, 9],
    [4, 0, 297],
  ])('of %i bytes from %s to %s is refused', (length, from, to) => {
    expect(() => copySecretOffset(source, 0, length, from, to)).toThrowError(badLength);
  });
});

describe('PKCS #1 v1.5 padding', () => {
  const message = Uint8Array.from({ length: 48 }, (_, i) => i);
  const fallback = new Uint8Array(48).fill(0xee);
  const block = concat(Uint8Array.of(0, 2), new Uint8Array(77).fill(0xa5), Uint8Array.of(0), message);

  test('comes off a message of the length awaited, which may hold zeros', () => {
    expect(block.length).toBe(128);
    expect(unpadPkcs1(block, 48, fallback)).toEqual(message);
    const tight = concat(Uint8Array.of(0, 2), new Uint8Array(8).fill(1), Uint8Array.of(0), message);
    expect(unpadPkcs1(tight, 48, fallback)).toEqual(message);
    const empty = concat(Uint8Array.of(0, 2), new Uint8Array(8).fill(1), Uint8Array.of(0));
    expect(unpadPkcs1(empty, 0, new Uint8Array(0))).toEqual(new Uint8Array(0));
  });

  test('that is changed in any byte gives the fallback, unless the byte is free', () => {
    for (let at = 0; at < 80; at++)
      for (let value = 0; value < 256; value++) {
        const changed = block.slice();
        changed[at] = value;
        const isRight = value === block[at] || (at >= 2 && at < 79 && value !== 0);
        expect(unpadPkcs1(changed, 48, fallback)[0]).toBe(isRight ? 0 : 0xee);
      }
  });

  test('of a message longer or shorter gives the fallback', () => {
    for (const length of [0, 1, 46, 47, 49, 50, 117]) {
      const other = concat(
        Uint8Array.of(0, 2),
        new Uint8Array(125 - length).fill(3),
        Uint8Array.of(0),
        new Uint8Array(length).fill(9),
      );
      expect(other.length).toBe(128);
      expect(toHex(unpadPkcs1(other, 48, fallback))).toBe(toHex(fallback));
    }
  });

  test('needs room for eight bytes, and a fallback of the right length', () => {
    expect(() => unpadPkcs1(block.subarray(0, 58), 48, fallback)).toThrowError(badLength);
    expect(() => unpadPkcs1(block, 48, fallback.subarray(1))).toThrowError(badLength);
    expect(() => unpadPkcs1(block, -1, fallback)).toThrowError(badLength);
  });
});

describe('the places read, and their order, are the same whatever the secret is', () => {
  /** Bytes that note which of them are read. */
  function watched(bytes: Uint8Array, reads: string[]): Uint8Array {
    return new Proxy(bytes, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads.push(`${target.byteOffset} ${key}`);
        const value = Reflect.get(target, key, target);
        if (key !== 'subarray') return typeof value === 'function' ? value.bind(target) : value;
        return (from?: number, to?: number) => watched(target.subarray(from, to), reads);
      },
    });
  }

  test('in the watch itself, a difference shows', () => {
    const places = [3, 5].map((secret) => {
      const reads: string[] = [];
      expect(watched(new Uint8Array(8), reads).subarray(1)[secret]).toBe(0);
      return reads.join();
    });
    expect(places).toEqual(['1 3', '1 5']);
  });

  test('for a copy', () => {
    const places = [0, 7, 30, 31, 99].map((offset) => {
      const reads: string[] = [];
      copySecretOffset(watched(new Uint8Array(50), reads), offset, 20);
      return reads.join();
    });
    expect(places[0]!.length).toBeGreaterThan(0);
    expect(new Set(places).size).toBe(1);
  });

  test('for padding that is right, wrong at its beginning, wrong at its end, or absent', () => {
    const right = concat(Uint8Array.of(0, 2), new Uint8Array(20).fill(7), new Uint8Array(49));
    const blocks = [0, 1, 2, 21, 22, 40].map((at) => {
      const block = right.slice();
      block[at]! ^= 7;
      return block;
    });
    const places = [right, ...blocks, new Uint8Array(71), new Uint8Array(71).fill(255)].map((block) => {
      const reads: string[] = [];
      const fallback = watched(new Uint8Array(48), reads);
      unpadPkcs1(watched(block, reads), 48, fallback);
      return reads.join();
    });
    expect(places[0]!.length).toBeGreaterThan(0);
    expect(new Set(places).size).toBe(1);
  });
});
