import { expect } from 'vitest';
import type { ProgramIdentity } from './identity.ts';
import { runApp } from './run.ts';

/** What a program reports, which must be the same on Node's own TLS and on ours. */
export async function sameOnBoth(
  name: string,
  { identity, ca }: ProgramIdentity,
  env: Readonly<Record<string, string | number>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const texts = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)]));
  const run = (mode: 'node' | 'register', ROUND: string) =>
    runApp(name, mode, { identity, ca, env: { ...texts, ROUND } });
  const { results: theirs } = await run('node', 'node');
  const { results, ours, nodes } = await run('register', 'ours');
  expect(results).toEqual(theirs);
  expect(ours).toBeGreaterThan(0);
  expect(nodes).toBe(0);
  return results;
}
