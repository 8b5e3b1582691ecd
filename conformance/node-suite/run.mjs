// Runs Node's own tests of tls, https and HTTP/2 over TLS twice: on the built-in, and on ours by `--require` of
// `@testudo/tls/register`. Says of each what differs. See README.md.
//
//   node conformance/node-suite/run.mjs TREE [--node PATH] [--jobs 2] [--timeout 30] [--only WORDS] [--kinds tls,https]
//                                            [--baseline FILE] [--json FILE] [--text FILE] [--output NAME]

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execute } from './execute.mjs';
import { asText, summary } from './report.mjs';
import { selectTests } from './select.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const register = join(root, 'packages', 'tls', 'dist', 'node', 'register.js');

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      node: { type: 'string', default: process.execPath },
      jobs: { type: 'string', default: '2' },
      timeout: { type: 'string', default: '30' },
      only: { type: 'string', default: '' },
      kinds: { type: 'string', default: 'tls,https,http2,others' },
      baseline: { type: 'string' },
      json: { type: 'string' },
      text: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  if (positionals.length !== 1)
    throw new Error('Which tree? The path of a checkout of Node, or of its folder test.');
  if (!existsSync(register)) throw new Error('The packages are not built: run `npm run build` first.');

  const kinds = values.kinds.split(',');
  const only = new RegExp(values.only);
  const tests = selectTests(resolve(positionals[0])).filter(
    (test) => kinds.includes(test.kind) && only.test(test.name),
  );
  const known = readBaseline(values.baseline);
  const scratch = mkdtempSync(join(tmpdir(), 'testudo-node-suite-'));
  const how = { node: values.node, scratch, timeout: Number(values.timeout) * 1000 };
  try {
    const ran = await inParallel(
      tests.filter((test) => test.leftOut === undefined),
      Number(values.jobs),
      async (test, worker) => {
        const builtIn = known.get(test.name) ?? (await execute(test, { ...how, worker }));
        const ours =
          builtIn.verdict === 'skip' ? builtIn : await execute(test, { ...how, worker, preload: register });
        const result = { name: test.name, kind: test.kind, builtIn, ours };
        if (values.verbose && ours.output !== undefined) console.error(`== ${test.name}\n${ours.output}`);
        return result;
      },
    );
    const report = {
      node: nodeVersion(values.node),
      results: ran,
      leftOut: tests
        .filter((test) => test.leftOut !== undefined)
        .map(({ name, kind, leftOut }) => ({ name, kind, reason: leftOut })),
    };
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 1)}\n`);
    if (values.text !== undefined) writeFileSync(values.text, asText(report));
    else console.log(asText(report));
    console.log(summary(report));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What the built-in did in an earlier run: it does not change with our code. */
function readBaseline(file) {
  if (file === undefined || !existsSync(file)) return new Map();
  return new Map(JSON.parse(readFileSync(file, 'utf8')).results.map(({ name, builtIn }) => [name, builtIn]));
}

/** Those of `sequential` use fixed ports, so each worker has ports of its own; they run beside each other all the same. */
async function inParallel(tests, jobs, task) {
  const results = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: jobs }, async (_, worker) => {
      while (next < tests.length) {
        const at = next++;
        results[at] = await task(tests[at], worker);
      }
    }),
  );
  return results;
}

function nodeVersion(node) {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
