/** More than this is no noise: instructions hardly vary, ratios of CPU time do. */
const INSTRUCTIONS_TOLERANCE = 1.03;
const CPU_TOLERANCE = 1.1;

/**
 * What became slower or faster than in the committed run, one line each. By instructions where both runs counted them
 * with the same Node; otherwise by the ratio of CPU time to the reference, and only outside of that run's spread.
 */
export function compare(current, committed) {
  const lines = [];
  for (const workload of current.workloads) {
    const before = committed.workloads.find(
      ({ name, role }) => name === workload.name && role === workload.role,
    );
    const change = before && changeOf(workload, before, current.node === committed.node);
    if (change !== undefined) lines.push(`${workload.title}, ${workload.role}: ${change}`);
  }
  return lines;
}

function changeOf({ stacks: now }, { stacks: before }, isSameNode) {
  const [counted, wanted] = [now.testudo?.instructions, before.testudo?.instructions];
  if (isSameNode && counted !== undefined && wanted !== undefined) {
    return verdict(counted / wanted, INSTRUCTIONS_TOLERANCE, 'instructions');
  }
  const [ratio, old] = [now.testudo?.cpu?.ratio, before.testudo?.cpu?.ratio];
  if (ratio === undefined || old === undefined) return undefined;
  if (ratio.median >= old.min && ratio.median <= old.max) return undefined;
  return verdict(ratio.median / old.median, CPU_TOLERANCE, 'CPU time, against the reference');
}

function verdict(change, tolerance, what) {
  if (change > tolerance) return `SLOWER, ${change.toFixed(2)} times the ${what}`;
  if (change < 1 / tolerance) return `faster, ${change.toFixed(2)} times the ${what}`;
  return undefined;
}
