// Runs tlsfuzzer's scripts against our server: see README.md. `node conformance/tlsfuzzer/run.mjs FOLDER [-j N] [--verbose] [SCRIPT...]`

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { load } from '../support/load-sources.mjs';

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: run.mjs FOLDER-OF-TLSFUZZER [-j JOBS] [--verbose] [SCRIPT...]');
  process.exit(2);
}
/** They run all they have, and do not know -n. */
const WITHOUT_NUMBER = ['test-tls13-certificate-request.py'];
const all = rest.includes('--all');
const verbose = rest.includes('--verbose');
const jobs = rest.includes('-j') ? Number(rest[rest.indexOf('-j') + 1]) : 2;
const wanted = rest.filter((each) => each.startsWith('test-'));
const { startServers, PLAN, judge, close } = await load(new URL('./plan.ts', import.meta.url));
const { ports, stop } = await startServers(resolve(folder));
const totals = { passed: 0, deviations: 0, failed: 0 };
const queue = PLAN.filter(({ script }) => wanted.length === 0 || wanted.includes(script));

async function work() {
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
    const begun = Date.now();
    const output = await python(entry);
    const { passed, deviations, unexpected } = judge(entry, output);
    totals.passed += passed;
    totals.deviations += deviations.length;
    totals.failed += unexpected.length;
    const what = [entry.script, ...(entry.arguments ?? [])].join(' ').slice(0, 100);
    const took = `${Math.round((Date.now() - begun) / 1000)} s`;
    console.log(
      `${unexpected.length > 0 ? 'FAILED' : 'ok'}  ${entry.server}: ${what}: ${passed} + ${deviations.length}, ${took}`,
    );
    for (const line of unexpected) console.log(`        ${line}`);
    if (verbose && unexpected.length > 0) console.log(output);
  }
}

function python({ server, script, arguments: given = [], manner = 'http' }) {
  const port = ports.get(`${server} ${manner}`);
  // Without -n, many scripts take a random choice of their conversations.
  const number = all && !WITHOUT_NUMBER.includes(script) ? ['-n', '0'] : [];
  const args = ['-u', `scripts/${script}`, '-p', String(port), ...number, ...given];
  const child = spawn(process.env.PYTHON ?? 'python3', args, {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: `${resolve(folder)}:${process.env.PYTHONPATH ?? ''}` },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output += text;
    });
  }
  const timer = setTimeout(() => child.kill(), 600_000);
  return new Promise((done) => {
    child.on('close', () => {
      clearTimeout(timer);
      done(output);
    });
  });
}

await Promise.all(Array.from({ length: jobs }, work));
console.log(`${totals.passed} passed, ${totals.deviations} deviations, ${totals.failed} failed`);
stop();
await close();
process.exitCode = totals.failed === 0 ? 0 : 1;
