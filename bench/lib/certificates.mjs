import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { markdownTable, ratioText } from './markdown-table.mjs';
import { spread } from './report.mjs';

/** Its name in `--only`. */
export const CERTIFICATES = 'certificates';

/** Runs bench/x509.mjs in a process of its own, so that nothing else has warmed it up. */
export async function measureCertificates({ rounds, quick }) {
  const script = fileURLToPath(new URL('../x509.mjs', import.meta.url));
  const args = [script, '--json', '--rounds', String(rounds), ...(quick ? ['--quick'] : [])];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** Medians, and ratios round by round to the first lane, which is Node's own. CPU time per chain, microseconds. */
export function summariseLanes(title, lanes) {
  const reference = lanes[0].samples;
  return {
    title,
    unit: 'chain',
    lanes: lanes.map(({ name, samples }, lane) => ({
      name,
      cpu: {
        ...spread(samples),
        ...(lane === 0 ? {} : { ratio: spread(samples.map((value, i) => value / reference[i])) }),
      },
    })),
  };
}

/** A line for each way to verify, a column for each kind of key. */
export function certificatesTable(summaries) {
  return lanesTable('parse and verify', '\u00b5s', summaries);
}

/** A line for each lane, a column for each summary. */
export function lanesTable(heading, unit, summaries) {
  const names = summaries[0].lanes.map(({ name }) => name);
  const cells = (lane) => summaries.map(({ lanes }) => text(lanes[lane].cpu, unit));
  const rows = [
    [heading, ...summaries.map(({ title }) => title)],
    ...names.map((name, lane) => [name, ...cells(lane)]),
  ];
  return markdownTable(rows);
}

function text({ median, ratio }, unit) {
  const time = `${median.toFixed(unit === 'ms' ? 0 : 1)} ${unit}`;
  return ratio === undefined ? time : `${time}, ${ratioText(ratio)}`;
}
