import { describe, test } from 'vitest';
import { findProgram, needs, type ProgramName } from './find-program.ts';

export { findProgram, type ProgramName, requireProgram } from './find-program.ts';

/** `describe`, as far as a suite of programs needs it. */
export type Suite = (name: string, body: () => void) => void;

/** `test`, as far as a test of programs needs it; `timeout` in milliseconds, default that of the configuration. */
export type Test = (name: string, body: () => void | Promise<void>, timeout?: number) => void;

/**
 * A `describe` whose tests run where all the programs are installed, and are skipped by name where one is not:
 *
 *     const suite = withPrograms('openssl');
 *     suite('openssl s_server', () => { ... });
 *
 * The body is collected either way, so a suite must call programs inside its tests and hooks only.
 * CI installs every program and fails on any skipped test.
 */
export function withPrograms(...names: readonly ProgramName[]): Suite {
  const missing = missingOf(names);
  if (missing.length === 0) return (name, body) => describe(name, body);
  return (name, body) => describe.skip(skippedName(name, missing), body);
}

/** The same for a single `test`. */
export function testWithPrograms(...names: readonly ProgramName[]): Test {
  const missing = missingOf(names);
  if (missing.length === 0) return (name, body, timeout) => test(name, body, timeout);
  return (name, body) => test.skip(skippedName(name, missing), body);
}

function missingOf(names: readonly ProgramName[]): ProgramName[] {
  return names.filter((name) => findProgram(name) === undefined);
}

function skippedName(name: string, missing: readonly ProgramName[]): string {
  return `${name} (skipped: ${needs(missing)})`;
}
