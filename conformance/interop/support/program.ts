import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { type ProgramName, requireProgram } from '../../support/programs.ts';
import { cleanUp } from './clean-up.ts';

/** A program that runs beside the test: lines can be waited for, and it does not outlive the test. */
export class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #name: string;
  readonly #exit: Promise<number | null>;
  readonly #signal: NodeJS.Signals;
  #output = '';
  #exited = false;
  #listeners: (() => void)[] = [];

  constructor(
    /** By name, or where it lies when that is no folder of programs. */
    name: ProgramName | { readonly path: string },
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; stopSignal?: NodeJS.Signals; uid?: number; gid?: number } = {},
  ) {
    const path = typeof name === 'string' ? requireProgram(name) : name.path;
    this.#name = `${path} ${args.join(' ')}`;
    // One that has workers must be asked, so that it can end them; the others need not be.
    this.#signal = options.stopSignal ?? 'SIGKILL';
    const { stopSignal: _, ...rest } = options;
    this.#child = spawn(path, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('latin1').on('data', (text: string) => {
        this.#output += text;
        this.#tell();
      });
    }
    // It may end while we write.
    this.#child.stdin.on('error', () => {});
    this.#exit = once(this.#child, 'close').then(([code]) => {
      this.#exited = true;
      this.#tell();
      return code as number | null;
    });
    cleanUp(() => this.stop());
  }

  /** What it has written so far, to both of its outputs. */
  get output(): string {
    return this.#output;
  }

  /** Waits for its output to match; the match. Rejects when it ends without. */
  async expect(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (this.#exited) throw new Error(`${this.#name}: ended without ${pattern}:\n${this.#output}`);
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** Waits for its end; its exit code, null when a signal ended it. */
  exit(): Promise<number | null> {
    return this.#exit;
  }

  async stop(): Promise<void> {
    if (!this.#exited) this.#child.kill(this.#signal);
    await this.#exit;
  }

  #tell(): void {
    for (const resolve of this.#listeners.splice(0)) resolve();
  }
}

/** Starts a server that must be told its port: one that is free now. Another may take it first, so it tries again. */
export async function startOnFreePort(
  start: (port: number) => Program,
  ready: RegExp,
): Promise<{ program: Program; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const program = start(port);
    try {
      await program.expect(ready);
      return { program, port };
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** One that is free now; another may take it first. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
