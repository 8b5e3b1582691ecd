import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SLICE, Outbox } from './outbox.ts';

function slices(chunks: readonly (Uint8Array | string)[]): Uint8Array[] {
  const outbox = new Outbox(
    chunks.map((chunk) => ({ chunk, encoding: 'utf8' as const })),
    () => {},
  );
  const taken: Uint8Array[] = [];
  while (!outbox.isEmpty) taken.push(outbox.take());
  return taken;
}

describe('an outbox', () => {
  test('gives all bytes in order, in slices that are not too long', () => {
    const length = fc.oneof(fc.nat(20), fc.nat(20_000), fc.nat(2 * MAX_SLICE + 5));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 12 }), (lengths) => {
        const chunks = lengths.map((size, i) => Buffer.alloc(size, i + 1));
        const taken = slices(chunks);
        expect(Buffer.compare(Buffer.concat(taken), Buffer.concat(chunks))).toBe(0);
        for (const slice of taken) expect(slice.length).toBeLessThanOrEqual(MAX_SLICE);
      }),
      { numRuns: 50 },
    );
  });

  test('joins small chunks, and leaves large ones where they are', () => {
    const large = Buffer.alloc(50_000);
    const taken = slices(['a', 'b', 'c', large, 'd', 'e']);
    expect(taken.map((slice) => slice.length)).toEqual([3, 50_000, 2]);
    expect(taken[1]!.buffer).toBe(large.buffer);
  });

  test('cuts a huge chunk into views', () => {
    const huge = Buffer.alloc(2 * MAX_SLICE + 1);
    const taken = slices([huge]);
    expect(taken.map((slice) => slice.length)).toEqual([MAX_SLICE, MAX_SLICE, 1]);
    for (const slice of taken) expect(slice.buffer).toBe(huge.buffer);
  });
});
