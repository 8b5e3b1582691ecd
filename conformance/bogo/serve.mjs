// Keeps a warm shim: `node conformance/bogo/serve.mjs`. Prints the path to give to BoringSSL's runner as -shim-path,
// and serves until it is interrupted. Where there is no C compiler, that path starts a Node process for each test.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from '../support/load-sources.mjs';

const folder = mkdtempSync(join(tmpdir(), 'testudo-bogo-'));
const socket = join(folder, 'socket');
const shim = join(folder, 'shim');
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const { serveShim } = await load(new URL('./warm-server.ts', import.meta.url));
const noted = new Map();
const server = serveShim(socket, note);
server.once('listening', () => {
  makeLauncher();
  console.log(`-shim-path=${shim} -shim-config=${here('./config.json')}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    const counted = [...noted].sort(([, a], [, b]) => b - a);
    for (const [text, count] of counted) console.log(`${count} tests: ${text}`);
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
}

/** Which flags stand in the way of how many tests, and what should not happen in any. */
function note({ code, stderr }) {
  if (code !== 89 && !stderr.includes('internal-error')) return;
  const text = stderr.trim();
  noted.set(text, (noted.get(text) ?? 0) + 1);
}

function makeLauncher() {
  const define = `-DSOCKET_PATH=${JSON.stringify(socket)}`;
  const compiled = spawnSync('cc', ['-O2', define, '-o', shim, here('./launcher.c')], { encoding: 'utf8' });
  if (compiled.status === 0) return;
  console.error('no C compiler: each test will start a Node process');
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${here('./shim.mjs')}" "$@"\n`);
  chmodSync(shim, 0o755);
}
