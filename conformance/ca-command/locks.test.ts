import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type LockOwner, lifeOf, ourselves, parseOwner } from '#app/testing';
import { requireProgram } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';
import { good, PROGRAM, testudo, withBuild } from './program.ts';

// Locks of real processes: many at once, in containers, on a disk that is full.

withBuild('unshare')('the lock of a CA', () => {
  const scratch = useScratch('ca-locks');
  const serials = (data = 'data'): string[] =>
    JSON.parse(scratch.text(`${data}/ca-database.json`)).certificates.map(
      ({ subject }: { subject: string }) => subject,
    );
  const gone = spawnSync(process.execPath, ['-e', '']).pid!;
  const lockOf = (change: Partial<LockOwner>): string => JSON.stringify({ ...ourselves(), ...change });

  test('lets all in that find a dead one at the same time, one after the other', {
    timeout: 60_000,
  }, async () => {
    await good(scratch, 'ca', 'init');
    scratch.write('data/ca-database.json.lock', lockOf({ pid: gone }));
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.test`);
    const runs = await Promise.all(names.map((name) => testudo(scratch, ['ca', 'issue', name])));
    expect(runs.map(({ code, err }) => [code, err])).toEqual(names.map(() => [0, '']));
    expect(serials().toSorted()).toEqual(names.map((name) => `CN=${name}`));
    expect(readdirSync(scratch.path('data')).filter((name) => /lock|tmp/.test(name))).toEqual([]);
  });

  /** As a container does: with process numbers of its own, of which the first is ours. */
  const inContainer = (...args: string[]) =>
    spawn(
      requireProgram('unshare'),
      ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, ...args],
      {
        cwd: scratch.path('.'),
        env: { ...process.env, NO_COLOR: '1', TESTUDO_DATA: scratch.path('box') },
      },
    );

  test('of process 1 of a container that was killed is no lock for process 1 of the next', {
    timeout: 60_000,
  }, async () => {
    await good(scratch, 'ca', 'init', '--data', 'box');
    // It holds the lock when it is killed.
    const holder = inContainer(
      ...['--input-type=module', '-e'],
      `import { writeFileSync, readFileSync, readlinkSync } from 'node:fs';
       const stat = readFileSync('/proc/self/stat', 'latin1');
       writeFileSync('box/ca-database.json.lock', JSON.stringify({
         ...${lockOf({})},
         pid: process.pid,
         start: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19],
         space: readlinkSync('/proc/self/ns/pid'),
       }));
       console.log(process.pid);
       setInterval(() => undefined, 1000);`,
    );
    expect(String((await once(holder.stdout!, 'data'))[0])).toBe('1\n');
    holder.kill('SIGKILL');
    await once(holder, 'close');
    const owner = parseOwner(scratch.text('box/ca-database.json.lock'))!;
    expect(owner.pid).toBe(1);
    expect(lifeOf(owner)).not.toBe('alive');
    const next = inContainer(PROGRAM, 'ca', 'issue', 'x.test', '--out', 'box-out');
    let said = '';
    next.stderr.on('data', (text) => {
      said += text;
    });
    expect([(await once(next, 'close'))[0], said]).toEqual([0, '']);
    expect(serials('box')).toEqual(['CN=x.test']);
    expect(existsSync(scratch.path('box/ca-database.json.lock'))).toBe(false);
  });

  test('is not left empty by a disk that is full; with room again all goes on', () => {
    mkdirSync(scratch.path('disk'));
    writeFileSync(
      scratch.path('full.sh'),
      `set -e
mount -t tmpfs -o size=64k none disk
"$NODE" "$PROGRAM" ca init --data disk/data >/dev/null
dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null || true
df disk | tail -1 >&2
"$NODE" "$PROGRAM" ca issue x.test --data disk/data --out out && exit 9
echo "left: $(cd disk/data; ls -s *.lock* *.tmp 2>/dev/null)"
rm disk/filler
"$NODE" "$PROGRAM" ca issue x.test --data disk/data --out out
ls out
`,
    );
    const said = execFileSync(
      requireProgram('unshare'),
      ['--mount', '--map-root-user', 'sh', scratch.path('full.sh')],
      {
        cwd: scratch.path('.'),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE: process.execPath, PROGRAM },
      },
    );
    expect(said).toMatch(/^left: \n/);
    expect(said).toMatch(/x\.test-key\.pem\nx\.test\.pem\n$/);
    expect(readFileSync(scratch.path('out/x.test.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');
  });
});
