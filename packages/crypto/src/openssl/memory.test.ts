import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Cell, NativeMemory } from './memory.ts';
import { put } from './native.ts';
import { Parameters } from './parameters.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

function memory(): NativeMemory {
  return new NativeMemory(() => 0x7f00_1234_5670);
}

describe('memory for native calls', () => {
  test('an array whose address was asked for is not collected before the call', async () => {
    const native = memory();
    const references = [1, 2].map(() => {
      const bytes = new Uint8Array(1000);
      native.addressOf(bytes);
      return new WeakRef(bytes);
    });
    // A WeakRef keeps its target until the end of the job that made it.
    await new Promise(setImmediate);
    gc();
    expect(references.map((reference) => reference.deref()?.length)).toEqual([1000, 1000]);
  });

  test('it does not keep more than those of one call', async () => {
    const native = memory();
    const references = Array.from({ length: 10 }, () => {
      const bytes = new Uint8Array(1000);
      native.addressOf(bytes);
      return new WeakRef(bytes);
    });
    await new Promise(setImmediate);
    gc();
    expect(references.filter((reference) => reference.deref() !== undefined).length).toBe(2);
  });

  test('places lie apart, and end where the memory ends', () => {
    const native = memory();
    const places = [1, 16, 17, 1000].map((length) => native.reserve(length));
    for (const [i, place] of places.entries()) {
      place.bytes.fill(i + 1);
      expect(place.address % 16).toBe(0);
    }
    for (const [i, place] of places.entries()) expect(new Set(place.bytes)).toEqual(new Set([i + 1]));
    expect(() => native.reserve(65_536)).toThrow(RangeError);
    expect(() => {
      for (;;) native.reserve(4096);
    }).toThrow(RangeError);
  });

  test('what does not fit into its place is refused', () => {
    const native = memory();
    const place = native.reserve(16);
    const after = native.reserve(16);
    expect(() => put(place, new Uint8Array(17).fill(1))).toThrow(RangeError);
    expect(new Set(after.bytes)).toEqual(new Set([0]));
    expect(put(place, new Uint8Array(16).fill(1))).toBe(place.address);
    const parameters = new Parameters(native, 1);
    expect(() => parameters.add('n', 'unsigned', place, 17)).toThrow(RangeError);
    expect(() => parameters.add('n', 'unsigned', place, Number.NaN)).toThrow(RangeError);
  });

  test('a text has one address', () => {
    const native = memory();
    expect(native.text('sha256')).toBe(native.text('sha256'));
    expect(native.text('sha384')).not.toBe(native.text('sha256'));
  });

  test.each([0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 0x7fff_1234_5678, 2 ** 53 - 1])(
    'a cell holds %d',
    (value) => {
      const cell = new Cell(memory().reserve(8));
      cell.value = value;
      expect(cell.value).toBe(value);
    },
  );
});
