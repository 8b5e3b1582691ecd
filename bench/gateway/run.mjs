import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isInstalled, LOADS } from './lib/loads.mjs';
import { makeSurroundings, measureCpu, measureMemory } from './lib/measure.mjs';
import { stopAll } from './lib/process-tree.mjs';
import { PROGRAMS, REFERENCE, versionOf } from './lib/programs.mjs';
import { summarise, table } from './lib/report.mjs';
import { WORKLOADS } from './lib/workloads.mjs';

const HELP = `Measures the gateway beside other programs that end TLS. See bench/gateway/README.md for the method.

  npm run bench:gateway -- [options]

  --quick           short rounds, to try things out
  --rounds N        rounds of each workload (default 9, quick 3; memory at most 3)
  --only NAMES      workloads, comma-separated: ${WORKLOADS.map(({ name }) => name).join(', ')}
  --programs NAMES  programs beside ${REFERENCE}, comma-separated: ${PROGRAMS.slice(1)
    .map(({ name }) => name)
    .join(', ')}
  --profile DIR     also write CPU profiles of those that run on Node to DIR/NAME (see bench/profile.mjs)
  --save            put the run into bench/gateway/results.json, in the place of this Node's last one
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    programs: { type: 'string' },
    profile: { type: 'string' },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(HELP);
else await main();

async function main() {
  const rounds = Number(options.rounds ?? (options.quick ? 3 : 9));
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a number from 1');
  const workloads = chosen('workload', WORKLOADS, options.only).filter(canLoad);
  const { programs, versions } = installed(
    chosen('program', PROGRAMS, options.programs && `${REFERENCE},${options.programs}`),
  );
  if (!programs.some(({ name }) => name === REFERENCE))
    throw new Error(`without ${REFERENCE} there is nothing to compare with`);
  const surroundings = makeSurroundings();
  process.on('exit', () => {
    stopAll();
    surroundings.remove();
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  const summaries = [];
  for (const workload of workloads) {
    const able = programs.filter((program) => canDo(program, workload));
    const run = {
      programs: able,
      rounds: Math.min(rounds, workload.mostRounds ?? rounds),
      size: options.quick ? workload.quick : workload.size,
      surroundings,
      profile: options.profile,
      onRound: (name, text) => progress(`${workload.name}: ${name}, ${text}`),
    };
    const results = await (workload.load === 'hold' ? measureMemory : measureCpu)(workload, run);
    summaries.push(summarise(workload, results));
    progress('');
    console.log(table(summaries.slice(-1), programs));
    // Each time: a run that is broken off leaves what it has.
    write({ rounds, quick: options.quick, ...machine(), versions, workloads: summaries });
  }
  console.log(`\n${table(summaries, programs)}\n`);
  console.log('Ratios: median of the rounds, each against its neighbour (least to most). Less is better.');
}

function chosen(kind, all, names) {
  const wanted = names?.split(',');
  const unknown = wanted?.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`no ${kind} is called ${unknown}: see --help`);
  return all.filter(({ name }) => wanted?.includes(name) ?? true);
}

function installed(wanted) {
  const versions = {};
  const programs = wanted.filter((program) => {
    const version = versionOf(program);
    if (version !== undefined) versions[program.name] = version;
    else console.log(`Left out: ${program.name}: not installed (Debian's package ${program.package})`);
    return version !== undefined;
  });
  return { programs, versions };
}

function canLoad({ name, load }) {
  if (LOADS[load] === undefined || isInstalled(LOADS[load])) return true;
  console.log(
    `Left out: ${name}: ${LOADS[load].command} is not installed (Debian's package ${LOADS[load].package})`,
  );
  return false;
}

function canDo({ name, modes, lacks }, workload) {
  const { mode, exact } = workload;
  if (modes.includes(mode) || (mode === 'proxy' && !exact)) return true;
  const why = mode === 'proxy' ? 'it does not speak HTTP' : (lacks ?? 'it passes on HTTP only');
  console.log(`Left out: ${name} in ${workload.name}: ${why}`);
  return false;
}

function machine() {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    machine: `${availableParallelism()} cores, ${first?.model ?? process.arch}`,
  };
}

function write(results) {
  const latest = new URL('../results/', import.meta.url);
  mkdirSync(latest, { recursive: true });
  writeFileSync(new URL('gateway.json', latest), `${JSON.stringify(results, null, 2)}\n`);
  if (!options.save) return;
  const committed = new URL('results.json', import.meta.url);
  const others = committedRuns(committed).filter(({ node }) => majorOf(node) !== majorOf(results.node));
  const all = [...others, results].sort((a, b) => majorOf(a.node) - majorOf(b.node));
  writeFileSync(committed, `${JSON.stringify(all, null, 1)}\n`);
}

function committedRuns(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function majorOf(version) {
  return Number.parseInt(version, 10);
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
