import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { innerPlaintext } from './checks.ts';
import { finishedOf, recordFlights } from './flights.ts';
import { fuzz } from './fuzzer.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { TARGETS } from './targets.ts';

// A short run with every `npm test`; `npm run fuzz -- --seconds 600` for a long one.

const { FUZZ_SECONDS, FUZZ_TARGET, FUZZ_SEED, FUZZ_INPUTS } = process.env;
const names = FUZZ_TARGET === undefined ? Object.keys(TARGETS) : [FUZZ_TARGET];
const seconds = Number(FUZZ_SECONDS ?? 9) / names.length;
const seed = Number(FUZZ_SEED ?? randomInt(2 ** 31));
const inputs = Number(FUZZ_INPUTS ?? Number.MAX_SAFE_INTEGER);

describe('no bytes of a peer break', () => {
  test.each(names)(`%s (seed ${seed})`, { timeout: seconds * 1000 + 30_000 }, (name) => {
    const run = fuzz(name, seed, { milliseconds: seconds * 1000, inputs });
    console.log(`fuzz: ${name}: ${run.inputs} inputs from seed ${run.seed}`);
    expect(run.finding).toBeUndefined();
    expect(run.inputs).toBeGreaterThan(0);
  });
});

test('the same seed makes the same inputs', () => {
  const input = new Random(1).bytes(200);
  expect(mutate(input, new Random(7))).toEqual(mutate(input, new Random(7)));
  expect(new Random(7).bytes(20)).not.toEqual(new Random(8).bytes(20));
});

test('changed inputs are changed', () => {
  const input = new Random(1).bytes(200);
  const copy = input.slice();
  const outputs = Array.from({ length: 100 }, (_, i) => String(mutate(input, new Random(i))));
  expect(new Set(outputs).size).toBeGreaterThan(90);
  expect(input).toEqual(copy);
});

// Else a record of type 0 whose content happens to end with 23 would be data that nobody sent.
test.each([
  [23, [1, 2], 23, [1, 2]],
  [0, [1, 2, 23], 23, [1, 2]],
  [0, [1, 23, 0, 0], 23, [1]],
  [0, [23], 23, []],
  [0, [0, 0], 0, []],
  [0, [], 0, []],
  [21, [1, 23], 21, [1, 23]],
])('inside a record of type %i, %j is of type %i: %j (RFC 9846 §5.4)', (type, content, meant, rest) => {
  expect(innerPlaintext(type, Uint8Array.from(content))).toEqual({
    type: meant,
    content: Uint8Array.from(rest),
  });
});

// A recording that a fresh engine did not follow would make every changed one fail, and show nothing.
test.each(recordFlights().map((flight) => [flight.name, flight] as const))(
  'a recording of %s can be played again',
  (_, flight) => {
    for (const [from, to] of [
      ['client', 'server'],
      ['server', 'client'],
    ] as const) {
      const end = flight[to]();
      end.connection.start();
      for (const chunk of flight.sent[from]) {
        end.take();
        end.connection.receive(chunk);
      }
      expect(end.errors).toEqual([]);
      expect(finishedOf(end)).toBe(flight.finished[to]);
      expect(Uint8Array.from(end.data.flatMap((bytes) => [...bytes]))).toEqual(flight.data[from]);
      expect(flight.name.includes('resumed')).toBe(end.info.resumed);
      expect(flight.name.includes('retry')).toBe(end.info.helloRetryRequest);
    }
  },
);
