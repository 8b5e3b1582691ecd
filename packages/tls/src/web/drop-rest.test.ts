import { describe, expect, test } from 'vitest';
import { dropRest } from './drop-rest.ts';

/** Chunks that come at once, and then the end, silence, or no end. */
function source(chunks: number, then: 'end' | 'silence' | 'more' | 'error') {
  let read = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (read++ < chunks || then === 'more') controller.enqueue(new Uint8Array(1000));
        else if (then === 'end') controller.close();
        else if (then === 'error') controller.error(new Error('reset'));
        else return new Promise(() => {});
        return undefined;
      },
    },
    { highWaterMark: 0 },
  );
  return { reader: stream.getReader(), read: () => read };
}

describe('what still comes is dropped', () => {
  test.each(['end', 'silence', 'error'] as const)('until %s', async (then) => {
    const { reader, read } = source(50, then);
    await dropRest(reader, 5000);
    expect(read()).toBe(51);
  });

  test('but not for ever', async () => {
    const { reader, read } = source(0, 'more');
    await dropRest(reader, 20);
    expect(read()).toBeGreaterThan(1);
  });

  test('behind a read that is under way', async () => {
    const { reader, read } = source(3, 'end');
    const first = reader.read();
    await dropRest(reader, 5000);
    expect([(await first).done, read()]).toEqual([false, 4]);
  });
});
