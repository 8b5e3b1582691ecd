import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram, needs, packagesNeeded } from './find-program.ts';
import { skipSummary } from './skip-reporter.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('findProgram', () => {
  test('finds an executable file on the path, the first one first', () => {
    for (const name of ['first', 'second']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'openssl'), '', { mode: 0o755 });
    }
    const path = [join(folder, 'none'), join(folder, 'first'), join(folder, 'second')].join(':');
    expect(findProgram('openssl', path)).toBe(join(folder, 'first', 'openssl'));
  });

  test('passes over what is no program', () => {
    const bin = join(folder, 'not-programs');
    mkdirSync(join(bin, 'chromium'), { recursive: true });
    writeFileSync(join(bin, 'certutil'), '');
    chmodSync(join(bin, 'certutil'), 0o644);
    expect(findProgram('chromium', bin)).toBeUndefined();
    expect(findProgram('certutil', bin)).not.toBe(join(bin, 'certutil'));
  });
});

test('a missing program is named with the package that brings it, each package once', () => {
  expect(needs(['gnutls-cli', 'gnutls-serv', 'certutil'])).toBe(
    'needs gnutls-cli, gnutls-serv, certutil (apt-get install gnutls-bin libnss3-tools)',
  );
  expect(packagesNeeded(`interop (skipped: ${needs(['nginx', 'curl'])}) > works`)).toEqual([
    'nginx-light',
    'curl',
  ]);
  expect(packagesNeeded('needs nothing')).toEqual([]);
});

test('the summary lists each test and one command for all', () => {
  const lines = [`a (skipped: ${needs(['nginx', 'curl'])})`, `b (skipped: ${needs(['curl'])})`, 'c'];
  const summary = skipSummary(lines, false);
  for (const line of ['3 skipped tests:', ...lines]) expect(summary).toContain(line);
  expect(summary).toContain('To run them: apt-get install curl nginx-light\n');
  expect(summary).not.toContain('FAILED');
});

describe('a run of tests with a missing program', () => {
  beforeAll(() => {
    const run = join(folder, 'run');
    mkdirSync(run);
    symlinkSync(resolve('node_modules'), join(run, 'node_modules'));
    writeFileSync(
      join(run, 'vitest.config.mjs'),
      `import { SkipReporter } from ${JSON.stringify(resolve('conformance/support/skip-reporter.ts'))};
       export default { test: { reporters: ['default', new SkipReporter()] } };`,
    );
    // The search path is emptied before the suites are made: only /usr/sbin is left, which has no certutil.
    writeFileSync(
      join(run, 'a.test.mjs'),
      `process.env.PATH = '';
       import { expect, test } from 'vitest';
       const { testWithPrograms, withPrograms } = await import(${JSON.stringify(resolve('conformance/support/programs.ts'))});
       withPrograms('certutil')('suite', () => test('inside', () => { throw new Error('ran'); }));
       testWithPrograms('certutil')('alone', () => { throw new Error('ran'); });
       testWithPrograms()('present', () => expect(1).toBe(1));
       test('by choice', (context) => context.skip('no such machine'));`,
    );
  });

  test('passes at home and says what was skipped and why', async () => {
    const { code, output } = await vitest('', []);
    expect(output).toContain('3 skipped tests:');
    expect(output).toContain(
      'a.test.mjs > suite (skipped: needs certutil (apt-get install libnss3-tools)) > inside',
    );
    expect(output).toContain('a.test.mjs > alone (skipped: needs certutil (apt-get install libnss3-tools))');
    expect(output).toContain('by choice (skipped: no such machine)');
    expect(output).toContain('To run them: apt-get install libnss3-tools');
    expect(output).toMatch(/1 passed/);
    expect(code).toBe(0);
  });

  test('fails in CI', async () => {
    const { code, output } = await vitest('1', []);
    expect(output).toContain('FAILED: 3 skipped tests');
    expect(code).toBe(1);
  });

  test('does not count what -t leaves out', async () => {
    const { code, output } = await vitest('1', ['-t', 'present']);
    expect(output).not.toContain('FAILED');
    expect(code).toBe(0);
  });
});

async function vitest(ci: string, args: string[]): Promise<{ code: number; output: string }> {
  const command = [resolve('node_modules/vitest/vitest.mjs'), 'run', ...args];
  const env = { ...withoutVitest(process.env), CI: ci, NO_COLOR: '1' };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, {
      cwd: join(folder, 'run'),
      env,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** A Vitest inside a Vitest must not take itself for one of the outer one's workers. */
function withoutVitest(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV$|FORCE_COLOR)/.test(name)),
  );
}
