import { goalMetric, verdictOn } from './goals.mjs';
import { markdownTable, ratioText } from './markdown-table.mjs';
import { REFERENCE } from './stacks.mjs';

/** Adds to each stack's samples their median and spread, and the ratio to the reference. */
export function summarise(workload, results) {
  const metrics = Object.keys(results[REFERENCE].samples[0]);
  const stacks = {};
  for (const [stack, { samples, tickets, instructions }] of Object.entries(results)) {
    const summary = tickets === undefined ? {} : { tickets };
    if (instructions !== undefined) summary.instructions = rounded(instructions);
    stacks[stack] = summary;
    for (const metric of metrics) {
      const values = samples.map((sample) => sample[metric]);
      const reference = results[REFERENCE].samples.map((sample) => sample[metric]);
      summary[metric] = { ...spread(values), samples: values.map(rounded) };
      // Round by round: a slow minute of the machine is in both numbers of a pair.
      if (stack !== REFERENCE) summary[metric].ratio = spread(values.map((value, i) => value / reference[i]));
    }
  }
  return { name: workload.name, role: workload.role, title: workload.title, unit: workload.unit, stacks };
}

/** Median, least and greatest, in four digits. */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median: rounded(median), min: rounded(sorted[0]), max: rounded(sorted.at(-1)) };
}

function rounded(value) {
  return Number(value.toPrecision(4));
}

/** The table: one line for each workload and role, the reference's value, the others' ratios to it, and the verdict on its goal. */
export function table(summaries) {
  const others = [...new Set(summaries.flatMap(({ stacks }) => Object.keys(stacks)))].filter(
    (stack) => stack !== REFERENCE,
  );
  const rows = [
    ['workload', 'measured', `${REFERENCE}:tls`, ...others.map((stack) => `${stack} / node`), 'goal'],
  ];
  for (const summary of summaries) {
    const counted = summary.stacks[REFERENCE]?.instructions;
    if (counted !== undefined) {
      const ratios = others.map((stack) => {
        const instructions = summary.stacks[stack]?.instructions;
        return instructions === undefined ? '-' : (instructions / counted).toFixed(2);
      });
      rows.push([
        `${summary.title}, ${summary.role}`,
        'instructions',
        counted.toExponential(2),
        ...ratios,
        '',
      ]);
    }
    for (const [metric, { label, format }] of Object.entries(METRICS)) {
      const reference = summary.stacks[REFERENCE]?.[metric];
      if (reference === undefined) continue;
      rows.push([
        `${summary.title}, ${summary.role}`,
        label,
        `${format(reference.median, summary.unit)}`,
        ...others.map((stack) => ratioText(summary.stacks[stack]?.[metric]?.ratio)),
        metric === goalMetric(summary) ? (verdictOn(summary) ?? '') : '',
      ]);
    }
  }
  return markdownTable(rows);
}

const METRICS = {
  cpu: { label: 'CPU time', format: time },
  wall: { label: 'wall time', format: time },
  rss: { label: 'resident memory', format: kilobytes },
  managed: { label: 'heap + external', format: kilobytes },
};

function time(microseconds, unit) {
  return unit === 'GiB' ? `${(microseconds / 1000).toFixed(0)} ms` : `${microseconds.toFixed(1)} µs`;
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
