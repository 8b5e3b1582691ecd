import { concat } from '@testudo/codec';
import type { Random } from './random.ts';

/** Bytes that lengths, types and counts are most often wrong with. */
const INTERESTING = [0, 1, 2, 3, 20, 21, 22, 23, 24, 32, 64, 127, 128, 254, 255];

type Mutation = (input: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  // One bit.
  (input, random) => at(input, random, (byte) => byte ^ (1 << random.below(8))),
  // One byte.
  (input, random) => at(input, random, () => random.below(256)),
  (input, random) => at(input, random, () => random.pick(INTERESTING)),
  // A little more, a little less: lengths that are off by one.
  (input, random) => at(input, random, (byte) => byte + random.pick([-1, 1])),
  // A part left out, doubled, put elsewhere.
  (input, random) => {
    const [start, end] = range(input, random);
    return concat(input.subarray(0, start), input.subarray(end));
  },
  (input, random) => {
    const [start, end] = range(input, random);
    return concat(input.subarray(0, end), input.subarray(start));
  },
  (input, random) => {
    const [start, end] = range(input, random);
    const place = random.below(input.length + 1);
    return concat(input.subarray(0, place), input.subarray(start, end), input.subarray(place));
  },
  // Bytes that were not there, or were somewhere else.
  (input, random) => insert(input, random, random.bytes(1 + random.below(16))),
  (input, random) => insert(input, random, new Uint8Array(1 + random.below(64))),
  (input, random, other) => insert(input, random, other.subarray(...range(other, random))),
  (input, random, other) =>
    concat(input.subarray(0, random.below(input.length + 1)), other.subarray(random.below(other.length + 1))),
  // An early end.
  (input, random) => input.subarray(0, random.below(input.length + 1)),
];

/** One to four mutations, one after the other. `other` is something to take parts from. The input is not changed. */
export function mutate(input: Uint8Array, random: Random, other: Uint8Array = input): Uint8Array {
  let output = input;
  for (let left = 1 + random.below(4); left > 0; left--)
    output = random.pick(MUTATIONS)(output, random, other);
  return output.slice();
}

function at(input: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  const output = input.slice();
  if (output.length === 0) return output;
  // Headers and lengths stand in front: half of the changes go there.
  const place = random.below(random.below(2) === 0 ? Math.min(output.length, 64) : output.length);
  output[place] = change(output[place]!);
  return output;
}

function insert(input: Uint8Array, random: Random, part: Uint8Array): Uint8Array {
  const place = random.below(input.length + 1);
  return concat(input.subarray(0, place), part, input.subarray(place));
}

function range(input: Uint8Array, random: Random): [number, number] {
  const start = random.below(input.length + 1);
  return [start, Math.min(input.length, start + random.below(64))];
}
