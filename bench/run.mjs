import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { systemCrypto } from '@testudo/crypto/openssl';
import { CERTIFICATES, certificatesTable, measureCertificates } from './lib/certificates.mjs';
import { compare } from './lib/compare.mjs';
import { makeMaterial } from './lib/material.mjs';
import { measureIdleMemory, measureRounds } from './lib/measure.mjs';
import { stopAll } from './lib/processes.mjs';
import { summarise, table } from './lib/report.mjs';
import { REFERENCE, STACKS } from './lib/stacks.mjs';
import { IDLE_MEMORY, WORKLOADS } from './lib/workloads.mjs';

const HELP = `Measures Testudo against node:tls, the floor and lemon-tls. See bench/README.md for the method.

  npm run bench -- [options]

  --quick          small rounds, to try things out; the numbers mean little
  --rounds N       rounds of each workload (default 9, quick 3; idle memory at most 5)
  --only NAMES     workloads, comma-separated: ${[...new Set([...WORKLOADS, IDLE_MEMORY].map(({ name }) => name)), CERTIFICATES].join(', ')}
  --role ROLE      server or client only
  --stacks NAMES   stacks beside ${REFERENCE}, comma-separated (default ${STACKS.slice(1).join(',')})
  --profile DIR    also write a CPU profile of each process under test to DIR (see bench/profile.mjs)
  --save           also put the run into bench/results.json, the committed one of each major version of Node
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    role: { type: 'string' },
    stacks: { type: 'string' },
    profile: { type: 'string' },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const COMMITTED = new URL('results.json', import.meta.url);
const MAJOR = process.versions.node.split('.', 1)[0];

process.on('exit', stopAll);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

if (options.help) console.log(HELP);
else await main();

async function main() {
  const chosen = choose();
  const rounds = Number(options.rounds ?? (options.quick ? 3 : 9));
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a number from 1');
  const stacks = [REFERENCE, ...(options.stacks?.split(',') ?? STACKS).filter((name) => name !== REFERENCE)];
  const material = makeMaterial();
  const summaries = [];
  const committed = readCommitted()[MAJOR];
  for (const workload of chosen) {
    const { warmUp, ...round } = options.quick ? workload.quick : workload.full;
    const label = `${workload.name}, ${workload.role}`;
    const run = {
      stacks,
      rounds: workload === IDLE_MEMORY ? Math.min(rounds, 5) : rounds,
      size: { ...round, warmUp },
      material,
      profile: options.profile,
      onRound: (stack, number) => progress(`${label}: round ${number + 1} of ${rounds}, ${stack}`),
    };
    progress(`${label}: warming up`);
    const results =
      workload === IDLE_MEMORY ? await measureIdleMemory(run) : await measureRounds(workload, run);
    summaries.push({ ...summarise(workload, results), size: round });
    progress('');
    console.log(table(summaries.slice(-1)).split('\n').slice(2).join('\n'));
    // Each time: a run that is broken off leaves what it has.
    write({ rounds, quick: options.quick, ...machine(), workloads: summaries });
  }
  if (wantsCertificates()) {
    progress('certificates');
    const certificates = await measureCertificates({ rounds, quick: options.quick });
    progress('');
    console.log(`\n${certificatesTable(certificates)}`);
    write({ rounds, quick: options.quick, ...machine(), workloads: summaries, certificates });
  }
  if (summaries.length > 0) console.log(`\n${table(summaries)}\n`);
  console.log('Ratios: median of the rounds, each against its neighbour (least to most). Less is better.');
  if (options.quick || summaries.length === 0) return;
  if (committed === undefined) return console.log(`\nNo run of Node ${MAJOR} is committed.`);
  const changes = compare({ ...machine(), workloads: summaries }, committed);
  console.log(
    `\nAgainst the committed run of Node ${committed.node}, ${committed.date}: ${changes.length === 0 ? 'as before' : ''}`,
  );
  for (const change of changes) console.log(`  ${change}`);
}

function choose() {
  const names = options.only?.split(',');
  const all = [...WORKLOADS, IDLE_MEMORY];
  const unknown = names?.find(
    (name) => name !== CERTIFICATES && !all.some((workload) => workload.name === name),
  );
  if (unknown !== undefined) throw new Error(`no workload is called ${unknown}: see --help`);
  const chosen = all.filter(
    ({ name, role }) => (names?.includes(name) ?? true) && (options.role ?? role) === role,
  );
  for (const { title, role, lacks } of chosen)
    if (lacks !== undefined) console.log(`Left out: ${title}, ${role}: ${lacks} is not installed`);
  return chosen.filter(({ lacks }) => lacks === undefined);
}

/** They have no role, and no stack but ours, Node's and one more. */
function wantsCertificates() {
  return options.only === undefined
    ? options.role === undefined && options.stacks === undefined
    : options.only.split(',').includes(CERTIFICATES);
}

function machine() {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    openssl: process.versions.openssl,
    crypto: systemCrypto().name,
    machine: `${availableParallelism()} cores, ${first?.model ?? process.arch}`,
  };
}

/** By Node's major version. */
function readCommitted() {
  return JSON.parse(readFileSync(COMMITTED, 'utf8'));
}

function write(results) {
  mkdirSync(new URL('results/', import.meta.url), { recursive: true });
  writeJson(new URL('results/latest.json', import.meta.url), results);
  if (options.save) writeJson(COMMITTED, { ...readCommitted(), [MAJOR]: results });
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
