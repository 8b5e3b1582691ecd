import { mkdirSync, writeFileSync } from 'node:fs';
import { toHex } from '@testudo/codec';
import { Random } from './random.ts';
import { TARGETS } from './targets.ts';

const FINDINGS = new URL('./findings/', import.meta.url);

/** Bytes by which the heap may grow in one run: what a leak per input would soon exceed. */
const MOST_GROWTH = 300_000_000;

export interface Run {
  readonly inputs: number;
  readonly seed: number;
  /** What was broken, and how to see it again; undefined when nothing was. */
  readonly finding: string | undefined;
}

/** Tries inputs of a target, from `seed` up, for so long or so many. Stops at the first that breaks something. */
export function fuzz(name: string, seed: number, limit: { milliseconds: number; inputs: number }): Run {
  const target = TARGETS[name];
  if (target === undefined)
    throw new Error(`no target is called ${name}: ${Object.keys(TARGETS).join(', ')}`);
  const end = performance.now() + limit.milliseconds;
  const heap = process.memoryUsage().heapUsed;
  let inputs = 0;
  for (; inputs < limit.inputs && performance.now() < end; inputs++) {
    const { breach, input } = target(new Random(seed + inputs));
    if (breach === undefined) continue;
    const finding = `${name}: ${breach}\nagain: npm run fuzz -- --target ${name} --seed ${seed + inputs} --inputs 1`;
    keep(`${name}-${seed + inputs}`, finding, input);
    return { inputs: inputs + 1, seed, finding };
  }
  const growth = process.memoryUsage().heapUsed - heap;
  const finding =
    growth > MOST_GROWTH ? `${name}: the heap grew by ${growth} bytes over ${inputs} inputs` : undefined;
  return { inputs, seed, finding };
}

function keep(name: string, finding: string, input: readonly Uint8Array[]): void {
  mkdirSync(FINDINGS, { recursive: true });
  writeFileSync(
    new URL(`${name}.json`, FINDINGS),
    JSON.stringify({ finding, input: input.map(toHex) }, null, 2),
  );
}
