// `npm run check`: everything that can be said about the code without running it.
// All checks run even when one fails; the exit code is 1 if any did. No file of the repository is written; what the packages'
// check needs built is built.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkDocuments } from './documents.mjs';
import { checkLock, checkSizes } from './hygiene.mjs';
import { checkLayers } from './layers.mjs';
import { checkOptions } from './options.mjs';
import { checkCitations } from './rfc-index.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const colours = process.stdout.isTTY === true;

const CHECKS = [
  ['types', () => run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--pretty', String(colours))],
  // `ci` is `check` that never writes.
  [
    'format and lint',
    () => run('node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', ...colourFlag(), '.'),
  ],
  ['packages', () => run('scripts/packages/check.mjs')],
  ['layers', () => checkLayers(root).join('\n')],
  ['file sizes', () => checkSizes(root).join('\n')],
  ['documents', () => checkDocuments(root).join('\n')],
  ['citations', () => checkCitations(root).join('\n')],
  ['options', async () => (await checkOptions(root)).join('\n')],
  ['lock file', () => checkLock(root).join('\n')],
];

// The programs work side by side, and our own small checks meanwhile; what is said comes in the order of the list.
const begun = CHECKS.map(([name, check]) => ({ name, result: timed(check) }));
const failed = [];
for (const { name, result } of begun) {
  const { problems, seconds } = await result;
  console.log(`${problems === '' ? '✓' : '✗'} ${name.padEnd(16)} ${`${seconds.toFixed(1)} s`.padStart(7)}`);
  if (problems === '') continue;
  failed.push(name);
  console.log(`\n${problems.trimEnd()}\n`);
}
if (failed.length > 0) {
  console.log(
    `Failed: ${failed.join(', ')}. Format, many lint rules, the index and the reference of options are repaired by: npm run fix`,
  );
  process.exitCode = 1;
}

/** What a check complains about, or nothing, and how long it took; a check that breaks has failed. */
async function timed(check) {
  const started = Date.now();
  let problems;
  try {
    problems = await check();
  } catch (error) {
    problems = error.stack;
  }
  return { problems, seconds: (Date.now() - started) / 1000 };
}

/** Runs a script. Resolves to its output if it fails, else to nothing. */
function run(script, ...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, script), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => resolve(String(error)));
    child.on('close', (code) => resolve(code === 0 ? '' : output || `exit code ${code}`));
  });
}

function colourFlag() {
  return [`--colors=${colours ? 'force' : 'off'}`];
}
