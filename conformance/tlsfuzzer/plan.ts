import { DEVIATIONS } from './deviations.ts';
import { listen } from './peer.ts';
import type { PlanEntry } from './plan-entry.ts';
import { SCRIPTS } from './scripts.ts';
import { keysOf, SERVERS } from './servers.ts';

export const PLAN: readonly PlanEntry[] = SCRIPTS;

/** All servers that the plan names, by `kind manner`. @param folder tlsfuzzer's checkout, for its keys. */
export async function startServers(
  folder: string,
): Promise<{ ports: ReadonlyMap<string, number>; stop: () => void }> {
  const keys = keysOf(folder);
  const ports = new Map<string, number>();
  const servers: { close(): unknown }[] = [];
  for (const { server: kind, manner = 'http' } of PLAN) {
    const name = `${kind} ${manner}`;
    if (ports.has(name)) continue;
    const { port, server } = await listen(SERVERS[kind]!(keys), manner);
    ports.set(name, port);
    servers.push(server);
  }
  const stop = () => {
    for (const server of servers) server.close();
  };
  return { ports, stop };
}

/** What became of a run: conversations that failed are deviations where a reason is written down, else unexpected. */
export function judge(
  { server, script }: PlanEntry,
  output: string,
): { passed: number; deviations: readonly string[]; unexpected: readonly string[] } {
  const passed = Number(/^PASS: (\d+)$/m.exec(output)?.[1] ?? 0);
  const summary = /^FAILED:\n((?:\t.*\n?)+)/m.exec(output)?.[1] ?? '';
  const failed = summary
    .split('\n')
    .filter((line) => line.length > 0)
    .map((line) => line.trim().replace(/^['"]|['"]$/g, ''));
  if (!/^TOTAL: \d+$/m.test(output)) failed.push(`no summary: ${output.trim().split('\n').at(-1)}`);
  const known = DEVIATIONS.filter((each) => each.script === script && (each.server ?? server) === server);
  const isKnown = (name: string) => known.some(({ conversations }) => conversations.test(name));
  return {
    passed,
    deviations: failed.filter(isKnown),
    unexpected: failed.filter((name) => !isKnown(name)),
  };
}
