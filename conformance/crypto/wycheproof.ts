import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fromHex } from '@testudo/codec';
import { expect } from 'vitest';

/** A case of a Wycheproof file: its own fields, with every hexadecimal one read through {@link Case.bytes}. */
export interface Case {
  readonly id: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags: readonly string[];
  /** A field of the case, or else of its group. Throws when neither has it. */
  bytes(field: string): Uint8Array;
  text(field: string): string;
  number(field: string): number;
}

/**
 * Runs every case of a file. `run` says what is wrong with one, or undefined when nothing is; a throw is a failure.
 *
 * @param expectedCount cases in the file: a test that runs fewer than it thinks is worth nothing.
 */
export function runWycheproof(
  file: string,
  expectedCount: number,
  run: (testCase: Case) => string | undefined,
): void {
  const { testGroups } = readVectors(file);
  const failures: string[] = [];
  let count = 0;
  for (const { tests, ...group } of testGroups) {
    for (const test of tests) {
      count++;
      let failure: string | undefined;
      try {
        failure = run(toCase({ ...group, ...test }));
      } catch (error) {
        failure = `threw ${error}`;
      }
      if (failure !== undefined)
        failures.push(
          `${test['tcId']} (${test['result']}; ${test['flags']}; ${test['comment']}): ${failure}`,
        );
    }
  }
  expect(failures).toEqual([]);
  expect(count).toBe(expectedCount);
}

type Fields = Readonly<Record<string, unknown>>;

interface Vectors {
  readonly testGroups: readonly (Fields & { readonly tests: readonly Fields[] })[];
}

const VECTORS = new URL('../vectors/wycheproof/', import.meta.url);

/** The larger files are compressed. */
function readVectors(file: string): Vectors {
  const packed = new URL(`${file}_test.json.gz`, VECTORS);
  const text = existsSync(packed)
    ? gunzipSync(readFileSync(packed)).toString()
    : readFileSync(new URL(`${file}_test.json`, VECTORS), 'utf8');
  return JSON.parse(text) as Vectors;
}

function toCase(fields: Fields): Case {
  function field<T extends 'string' | 'number'>(name: string, type: T): unknown {
    if (typeof fields[name] !== type) throw new Error(`the case has no ${name}`);
    return fields[name];
  }
  return {
    id: fields['tcId'] as number,
    result: fields['result'] as Case['result'],
    flags: fields['flags'] as string[],
    bytes: (name) => fromHex(field(name, 'string') as string),
    text: (name) => field(name, 'string') as string,
    number: (name) => field(name, 'number') as number,
  };
}
