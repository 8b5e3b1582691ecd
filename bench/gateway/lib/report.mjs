import { markdownTable, ratioText } from '../../lib/markdown-table.mjs';
import { spread } from '../../lib/report.mjs';
import { REFERENCE } from './programs.mjs';

/** Each program's median and spread, and its ratios, round by round, to the reference and to the ten-line proxy. */
export function summarise({ name, title, unit }, results) {
  const programs = {};
  for (const [program, { samples }] of Object.entries(results)) {
    const summary = {};
    for (const metric of Object.keys(samples[0])) {
      const values = valuesOf(results, program, metric);
      summary[metric] = spread(values);
      for (const other of [REFERENCE, TEN_LINES]) {
        const beside = valuesOf(results, other, metric);
        if (other === program || beside === undefined) continue;
        summary[metric][`to ${other}`] = spread(values.map((value, i) => value / beside[i]));
      }
    }
    programs[program] = summary;
  }
  return { name, title, unit, programs };
}

const TEN_LINES = 'ten-lines';

function valuesOf(results, program, metric) {
  return results[program]?.samples.map((sample) => sample[metric]);
}

/** One line for each workload: what the reference takes, the others' ratios to it, and ours to the ten-line proxy. */
export function table(summaries, programs) {
  const others = programs.map(({ name }) => name).filter((name) => name !== REFERENCE);
  const rows = [
    ['workload', REFERENCE, ...others.map((name) => `${name} / ${REFERENCE}`), `testudo / ${TEN_LINES}`],
  ];
  for (const { title, unit, programs: measured } of summaries) {
    const metric = 'memory' in measured[REFERENCE] ? 'memory' : 'cpu';
    const value = measured[REFERENCE][metric].median;
    rows.push([
      title,
      metric === 'memory' ? `${(value / 1024).toFixed(1)} KiB` : time(value, unit),
      ...others.map((name) => ratioText(measured[name]?.[metric][`to ${REFERENCE}`])),
      ratioText(measured.testudo?.[metric][`to ${TEN_LINES}`]),
    ]);
  }
  return markdownTable(rows);
}

function time(microseconds, unit) {
  return unit === '100 MB' ? `${(microseconds / 1000).toFixed(0)} ms` : `${microseconds.toFixed(1)} µs`;
}
