import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type ProgramName, requireProgram } from './programs.ts';

/** A folder for the files of a suite, in which programs run. It is made before the suite's tests and removed after them. */
export interface Scratch {
  path(name: string): string;
  write(name: string, content: string | Uint8Array): string;
  text(name: string): string;
  bytes(name: string): Uint8Array;
  /** Runs a program and gives its output. Throws, with what it said, when it fails. */
  run(program: ProgramName, ...args: readonly string[]): string;
  /** Runs a program that may fail: its exit status and all that it said. */
  attempt(program: ProgramName, ...args: readonly string[]): { status: number | null; said: string };
}

/** To be called in the body of a suite. */
export function useScratch(name: string): Scratch {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), `${name}-`));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (file: string): string => join(folder, file);
  return {
    path,
    write(file, content) {
      writeFileSync(path(file), content);
      return path(file);
    },
    text: (file) => readFileSync(path(file), 'utf8'),
    bytes: (file) => new Uint8Array(readFileSync(path(file))),
    run: (program, ...args) =>
      execFileSync(requireProgram(program), args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }),
    attempt(program, ...args) {
      const { status, stdout, stderr } = spawnSync(requireProgram(program), args, {
        cwd: folder,
        encoding: 'utf8',
      });
      return { status, said: `${stdout}${stderr}` };
    },
  };
}
