import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requireProgram } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';
import { good, PROGRAM, testudo, withBuild } from './program.ts';

// kill -9 at each call that changes something on the disk: the next run goes on as if the one before had never been.

withBuild('strace', 'openssl')('a run that is killed', () => {
  const scratch = useScratch('ca-crash');

  /** Runs `testudo`, and kills it before its n-th call of this kind. Whether it was killed. */
  function killedAt(call: string, count: number, ...args: string[]): boolean {
    const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${count}`];
    const { status, signal } = spawnSync(
      requireProgram('strace'),
      ['-f', '-qq', '-o', scratch.path('calls'), ...inject, process.execPath, PROGRAM, ...args],
      { cwd: scratch.path('.'), env: { ...process.env, TESTUDO_DATA: scratch.path('data') } },
    );
    return signal === 'SIGKILL' || status === 137;
  }

  /** All calls that change something; `at` as in linkat is what some machines have instead. */
  const CALLS = [
    '/^mkdir(at)?$',
    '/^link(at)?$',
    '/^rename(at|at2)?$',
    '/^unlink(at)?$',
    'fsync',
    '/^rmdir$',
  ];

  test('by `ca issue` leaves nothing that the next one refuses', { timeout: 240_000 }, async () => {
    await good(scratch, 'ca', 'init');
    scratch.write('password', 'secret\n');
    const args = ['ca', 'issue', 'x.test', '--p12', '--password-file', 'password', '--out', 'out'];
    let kills = 0;
    for (const call of CALLS) {
      for (let count = 1; killedAt(call, count, ...args); count++) {
        kills++;
        const isWhole = existsSync(scratch.path('out/x.test.pem'));
        const { code, err } = await testudo(scratch, args);
        if (isWhole) expect([code, err]).toEqual([1, expect.stringContaining('already exists')]);
        else expect([call, count, code, err]).toEqual([call, count, 0, '']);
        const made = readdirSync(scratch.path('out')).toSorted();
        expect(made).toEqual(['x.test-key.pem', 'x.test.p12', 'x.test.pem']);
        scratch.run('openssl', 'verify', '-CAfile', 'data/ca.pem', 'out/x.test.pem');
        scratch.run('openssl', 'pkcs12', '-in', 'out/x.test.p12', '-passin', 'file:password', '-noout');
        const publicKeys = [
          scratch.run('openssl', 'x509', '-in', 'out/x.test.pem', '-noout', '-pubkey'),
          scratch.run('openssl', 'pkey', '-in', 'out/x.test-key.pem', '-pubout'),
        ];
        expect(publicKeys[0]).toBe(publicKeys[1]);
        rmSync(scratch.path('out'), { recursive: true });
      }
      rmSync(scratch.path('out'), { recursive: true, force: true });
    }
    expect(kills).toBeGreaterThan(10);
    expect(readdirSync(scratch.path('data')).filter((name) => /lock$|new$/.test(name))).toEqual([]);
  });

  test('by `ca init` leaves nothing that the next one refuses', { timeout: 240_000 }, async () => {
    const args = ['ca', 'init', '--intermediate', '--crl-url', 'http://crl.test/a', '--data', 'fresh'];
    let kills = 0;
    for (const call of CALLS.slice(1, 4)) {
      for (let count = 1; killedAt(call, count, ...args); count++) {
        kills++;
        const isWhole = existsSync(scratch.path('fresh/ca.pem'));
        const { code, err } = await testudo(scratch, args);
        if (isWhole) expect([code, err]).toEqual([1, expect.stringContaining('there is already a CA in')]);
        else expect([call, count, code, err]).toEqual([call, count, 0, '']);
        await good(scratch, 'ca', 'issue', 'x.test', '--data', 'fresh', '--out', 'fresh/out');
        const made = readdirSync(scratch.path('fresh')).filter((name) => !name.endsWith('.tmp'));
        expect(made.toSorted()).toEqual([
          'ca-key.pem',
          'ca.pem',
          'certificates',
          'intermediate-database.json',
          'intermediate-key.pem',
          'intermediate.pem',
          'out',
          'publication.json',
        ]);
        scratch.run(
          'openssl',
          ...[
            'verify',
            '-CAfile',
            'fresh/ca.pem',
            '-untrusted',
            'fresh/intermediate.pem',
            'fresh/out/x.test.pem',
          ],
        );
        rmSync(scratch.path('fresh'), { recursive: true });
      }
      rmSync(scratch.path('fresh'), { recursive: true, force: true });
    }
    expect(kills).toBeGreaterThan(10);
  });
});
