import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the tests of a folder, named from the project's root; every test with its titles and status, and how many failed. */
export function testResults(tests) {
  const folder = mkdtempSync(join(tmpdir(), 'test-results-'));
  const file = join(folder, 'results.json');
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const args = [vitest, 'run', tests, '--reporter=json', `--outputFile=${file}`];
    spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    const { testResults: files, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
    return { results: files.flatMap(({ assertionResults }) => assertionResults), failed: numFailedTests };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
