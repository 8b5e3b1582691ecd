import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe } from 'vitest';
import type { ProgramName, Suite } from '../support/programs.ts';
import { withPrograms } from '../support/programs.ts';
import type { Scratch } from '../support/scratch.ts';

/** The program as users run it: compiled, in a process of its own. */
export const PROGRAM = resolve(import.meta.dirname, '../../apps/testudo/bin/testudo.mjs');
const isBuilt = existsSync(resolve(import.meta.dirname, '../../apps/testudo/dist/index.js'));

/** A suite that needs the build, and these programs. */
export function withBuild(...names: readonly ProgramName[]): Suite {
  if (isBuilt) return withPrograms(...names);
  return (name, body) => describe.skip(`${name} (skipped: needs the build: node scripts/prepare.mjs)`, body);
}

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `testudo` in the scratch folder, where its CA lives in `data`. */
export function start(
  scratch: Scratch,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [PROGRAM, ...args], {
    cwd: scratch.path('.'),
    env: { ...process.env, NO_COLOR: '1', TESTUDO_DATA: scratch.path('data'), ...env },
  });
}

/** Runs `testudo` to its end. */
export async function testudo(
  scratch: Scratch,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const child = start(scratch, args, options.env);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** As {@link testudo}, of a run that must be fine. Throws with what it said otherwise. */
export async function good(scratch: Scratch, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await testudo(scratch, args);
  if (code !== 0) throw new Error(`testudo ${args.join(' ')} ended with ${code}: ${err}${out}`);
  return out;
}
