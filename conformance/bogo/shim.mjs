// The shim as a process of its own: simple, and slow to start. `serve.mjs` keeps one warm.

import { load } from '../support/load-sources.mjs';

const { runShim, close } = await load(new URL('./shim.ts', import.meta.url));
const { code, stdout, stderr } = await runShim(process.argv.slice(2));
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = code;
await close();
