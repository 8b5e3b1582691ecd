import type { Random } from './random.ts';

/** One input: makes it from the random numbers, tries it, and tells what it broke. */
export type Target = (random: Random) => { breach: string | undefined; input: readonly Uint8Array[] };
