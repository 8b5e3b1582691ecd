import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Identity } from '../../interop/support/identities.ts';

/**
 * `register`: the program imports Node's modules, and they are ours. `import`: it asks for ours by name. `node`: nothing is
 * ours, to compare with.
 */
export type Mode = 'register' | 'import' | 'node';

export interface Run {
  /** Everything the program reported, by name. */
  readonly results: Readonly<Record<string, unknown>>;
  /** Connections that our engine and that of node:tls brought to an end of their handshake. */
  readonly ours: number;
  readonly nodes: number;
}

const FOLDER = resolve('conformance/programs');

/**
 * Runs `apps/<name>.mjs` (or a name with another ending) to its end. It trusts `ca` through NODE_EXTRA_CA_CERTS, so that it need not name it, and
 * may serve with `identity`. Rejects with its output when it fails.
 */
export async function runApp(
  name: string,
  mode: Mode,
  setup: { identity: Identity; ca: string; env?: Readonly<Record<string, string>> },
): Promise<Run> {
  const { child, finished } = startApp(name, mode, setup);
  child.stdin.end();
  return finished;
}

/** The same, for a program that goes on until its standard input ends. */
export function startApp(
  name: string,
  mode: Mode,
  { identity, ca, env }: { identity: Identity; ca: string; env?: Readonly<Record<string, string>> },
): { child: ReturnType<typeof start>; finished: Promise<Run> } {
  const child = start([...preloads(mode), join(FOLDER, 'apps', name.includes('.') ? name : `${name}.mjs`)], {
    ...environment(ca),
    TLS_BY: mode,
    TLS_CERT: identity.cert,
    TLS_KEY: identity.key,
    ...env,
  });
  return { child, finished: outcome(name, child) };
}

/** What goes before a program's name on the command line of node. */
export function preloads(mode: Mode): string[] {
  if (!existsSync(resolve('packages/tls/dist/node/register.js'))) {
    throw new Error('programs run on what was compiled: npm run build');
  }
  if (mode === 'node') return [];
  const evidence = ['--import', join(FOLDER, 'support/evidence.mjs')];
  return mode === 'register' ? ['--import', '@testudo/tls/register', ...evidence] : evidence;
}

/** Without what this test, or the machine, would bring along. */
export function environment(ca: string): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...rest, NODE_EXTRA_CA_CERTS: ca, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: ca };
}

function start(args: readonly string[], env: NodeJS.ProcessEnv) {
  return spawn(process.execPath, args, { cwd: FOLDER, env, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
}

/** A program that hangs is ended after this many milliseconds, and shows what it has said so far. */
const DEADLINE = 40_000;

async function outcome(name: string, child: ReturnType<typeof start>): Promise<Run> {
  const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE);
  const [output, errors, evidence] = [1, 2, 3].map((fd) => collect(child.stdio[fd] as NodeJS.ReadableStream));
  const [code, signal] = await new Promise<[number | null, string | null]>((done, fail) => {
    child.once('error', fail).once('close', (...both) => done(both));
  });
  clearTimeout(timer);
  if (code !== 0) {
    throw new Error(`${name} ended with ${signal ?? code}:\n${await output}\n${await errors}`);
  }
  const lines = (await output!).split('\n').filter((line) => line.startsWith('{'));
  return {
    results: Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)),
    ...(JSON.parse((await evidence!) || '{"ours":0,"nodes":0}') as { ours: number; nodes: number }),
  };
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
