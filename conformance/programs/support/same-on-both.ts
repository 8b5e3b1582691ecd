import { expect } from 'vitest';
import type { Identity } from '../../interop/support/identities.ts';
import { runApp } from './run.ts';

/** What a program reports, which must be the same on Node's own TLS and on ours. */
export async function sameOnBoth(
  name: string,
  setup: { identity: Identity; ca: string; env?: Readonly<Record<string, string | number>> },
): Promise<Readonly<Record<string, unknown>>> {
  const env = Object.fromEntries(Object.entries(setup.env ?? {}).map(([key, value]) => [key, String(value)]));
  const { results: theirs } = await runApp(name, 'node', { ...setup, env: { ...env, ROUND: 'node' } });
  const { results, ours, nodes } = await runApp(name, 'register', {
    ...setup,
    env: { ...env, ROUND: 'ours' },
  });
  expect(results).toEqual(theirs);
  expect(ours).toBeGreaterThan(0);
  expect(nodes).toBe(0);
  return results;
}
