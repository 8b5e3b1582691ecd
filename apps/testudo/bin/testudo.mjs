#!/usr/bin/env node
import { basename, relative } from 'node:path';
import { main } from '../dist/index.js';

// Whoever read our output may have gone, as `head` does.
process.stdout.on('error', (error) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const script = process.argv[1] ?? '';
const nearby = relative(process.cwd(), script);

process.exitCode = await main(process.argv.slice(2), {
  program: basename(script) === 'testudo' ? 'testudo' : `node ${nearby.startsWith('..') ? script : nearby}`,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signals: process,
});
// Standard input that nobody reads any more must not keep the process.
process.stdin.unref?.();
