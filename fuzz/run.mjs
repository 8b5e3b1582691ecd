// `npm run fuzz -- [--seconds N] [--target name] [--seed N] [--inputs N]`: hostile bytes for the engine.
// Runs fuzz.test.ts on the sources, for longer. Inputs that break something are kept in fuzz/findings/.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const USAGE = `Usage: npm run fuzz -- [options]

  --seconds N    how long, over all targets (default 60)
  --target NAME  only this one: client, server, messages, records, afterwards, floods, codecs, certificates,
                 chains, crls, ocsp, requests, pkcs12, timestamps, hiddenHellos, echConfigs, crypto
  --seed N       begin here; the seed of a finding shows it again
  --inputs N     at most so many for each target

Example: npm run fuzz -- --seconds 600 --target messages`;

function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      target: { type: 'string' },
      seed: { type: 'string' },
      inputs: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void console.log(USAGE);
  for (const name of ['seconds', 'seed', 'inputs'])
    if (values[name] !== undefined && !(Number(values[name]) >= 0))
      throw new Error(`--${name} takes a number`);
  const wanted = ['seconds', 'target', 'seed', 'inputs'].filter((name) => values[name] !== undefined);
  const environment = Object.fromEntries(wanted.map((name) => [`FUZZ_${name.toUpperCase()}`, values[name]]));
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', 'fuzz/fuzz.test.ts', '--disable-console-intercept'], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  });
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
}

try {
  main();
} catch (error) {
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
