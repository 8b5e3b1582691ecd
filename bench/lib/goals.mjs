import { HYBRID, nodeHasGroup } from './settings.mjs';
import { FLOOR } from './stacks.mjs';

/** What to reach: CPU time against `node:tls`, or resident memory, by workload and role. Less is better. */
const GOALS = {
  'handshake-full': { server: 0.8, client: 0.45 },
  'handshake-resumed': { server: 0.85, client: 0.5 },
  'handshake-12-full': { server: 0.9, client: 0.5 },
  'handshake-12-resumed': { server: 1, client: 0.5 },
  // Beside X25519 alone it tells nothing.
  ...(nodeHasGroup(HYBRID.group) ? { 'handshake-hybrid': { server: 1, client: 0.7 } } : {}),
  'bulk-send': { server: 1, client: 1 },
  'bulk-receive': { server: 1, client: 1 },
  'ping-pong': { server: 1.05, client: 1.05 },
  https: { server: 1.1, client: 0.8 },
  'idle-memory': { server: 0.33 },
};

/** The metric of a summary that its goal is about. */
export function goalMetric({ stacks }) {
  return stacks.testudo?.rss === undefined ? 'cpu' : 'rss';
}

/** Where the floor lies above the goal, so much of the floor is what to reach. */
const ABOVE_FLOOR = 1.15;

/** What a line of the results says of its goal: reached, or by how much it is missed. Undefined without a goal, or a ratio of ours. */
export function verdictOn(summary) {
  const goal = GOALS[summary.name]?.[summary.role];
  const metric = goalMetric(summary);
  const ratio = summary.stacks.testudo?.[metric]?.ratio?.median;
  if (goal === undefined || ratio === undefined) return undefined;
  const floor = summary.stacks[FLOOR]?.[metric]?.ratio?.median;
  const isAbove = floor !== undefined && floor > goal;
  const wanted = isAbove ? ABOVE_FLOOR * floor : goal;
  const missing = ratio - wanted;
  const verdict = missing <= 0 ? 'reached' : `missed by ${missing.toFixed(2)}`;
  return `${verdict} (${wanted.toFixed(2)}${isAbove ? ', by the floor' : ''})`;
}
