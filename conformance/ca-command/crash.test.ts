import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { main, testIo } from '#app/testing';
import { requireProgram } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';
import { good, PROGRAM, withBuild } from './program.ts';

// kill -9 at each call that changes something on the disk: the next run goes on as if the one before had never been.

/** `at` as in linkat is what some machines have instead. What is written counts when it gets its name, or is left behind. */
const CALLS = '/^(mkdir|link|rename|unlink|rmdir)(at|at2)?$';

/** Runs that are killed at the same time, each in a folder of its own. */
const AT_ONCE = 4;

/** One call of a run: the `count`-th of its kind, with this path if that is the same in each run. */
interface Moment {
  readonly call: string;
  readonly path: string | undefined;
  readonly count: number;
}

withBuild('strace')('a run that is killed', () => {
  const scratch = useScratch('ca-crash');

  const trace = (folder: string, args: readonly string[], ...more: string[]) =>
    spawn(
      requireProgram('strace'),
      ['-f', '-qq', '-o', join(folder, 'calls'), ...more, process.execPath, PROGRAM, ...args],
      { cwd: folder, env: { ...process.env, TESTUDO_DATA: join(folder, 'data') }, stdio: 'ignore' },
    );

  /** All moments of a run that changes `folder`. */
  async function momentsOf(folder: string, args: readonly string[]): Promise<Moment[]> {
    const run = trace(folder, args, '-e', `trace=${CALLS}`);
    expect(await once(run, 'close')).toEqual([0, null]);
    const counts = new Map<string, number>();
    const moments = readFileSync(join(folder, 'calls'), 'utf8')
      .split('\n')
      .flatMap((line): Moment[] => {
        const [, thread = '', call = '', paths = ''] = /^(\d+) +(\w+)\((.*)\) /.exec(line) ?? [];
        const texts = [...paths.matchAll(/"([^"]*)"/g)].map(([, text]) => text!);
        const path = texts.at(-1);
        // Newer versions of Node remove what is in a folder by names relative to it.
        const isRelative = path !== undefined && call.endsWith('at') && !path.startsWith('/');
        if (path === undefined || !(path.startsWith(folder) || isRelative)) return [];
        // Others are counted by thread, as strace does it: random names, and what is renamed, which it does not look at.
        const isFixed = !isRelative && !call.startsWith('rename') && !/[0-9a-f]{16}\.tmp/.test(path);
        const key = isFixed ? `${call} ${path}` : `${thread} ${call}`;
        const all = `${thread} ${call}`;
        for (const one of new Set([key, all])) counts.set(one, (counts.get(one) ?? 0) + 1);
        return [{ call, path: isFixed ? path.slice(folder.length + 1) : undefined, count: counts.get(key)! }];
      });
    return [...new Map(moments.map((one) => [JSON.stringify(one), one])).values()];
  }

  /** Kills a run before a call. */
  async function killAt({ call, path, count }: Moment, folder: string, args: readonly string[]) {
    const only = path === undefined ? [] : ['-P', join(folder, path)];
    const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${count}`];
    const [status, signal] = await once(trace(folder, args, ...inject, ...only), 'close');
    return signal === 'SIGKILL' || status === 137;
  }

  /** The next run, in this process: a process of its own would show nothing more. */
  async function runAgain(folder: string, args: readonly string[]): Promise<{ code: number; err: string }> {
    const io = testIo({ env: { TESTUDO_DATA: join(folder, 'data') } });
    return { code: await main([...args], io), err: io.err() };
  }

  /** Kills a run at each of its moments, and hands what is left to `look`. How often it was killed. */
  async function killEverywhere(
    template: string,
    argsIn: (folder: string) => readonly string[],
    look: (folder: string, moment: Moment) => Promise<void>,
  ): Promise<number> {
    let kills = 0;
    let made = 0;
    const make = (): string => {
      const folder = scratch.path(`${template}-${++made}`);
      cpSync(scratch.path(template), folder, { recursive: true });
      return folder;
    };
    const first = make();
    const left = await momentsOf(first, argsIn(first));
    const worker = async (): Promise<void> => {
      for (let moment = left.pop(); moment !== undefined; moment = left.pop()) {
        const folder = make();
        const wasKilled = await killAt(moment, folder, argsIn(folder));
        expect([moment, wasKilled]).toEqual([moment, true]);
        kills++;
        await look(folder, moment);
        rmSync(folder, { recursive: true });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return kills;
  }

  test('by `ca issue` leaves nothing that the next one refuses', { timeout: 240_000 }, async () => {
    mkdirSync(scratch.path('issue'));
    await good(scratch, 'ca', 'init', '--data', 'issue/data');
    scratch.write('password', 'secret\n');
    const argsIn = (folder: string): string[] => [
      ...['ca', 'issue', 'x.test', '--data', join(folder, 'data'), '--out', join(folder, 'out')],
      ...['--p12', '--password-file', scratch.path('password')],
    ];
    const kills = await killEverywhere('issue', argsIn, async (folder, moment) => {
      const isWhole = existsSync(join(folder, 'out/x.test.pem'));
      const { code, err } = await runAgain(folder, argsIn(folder));
      if (isWhole) expect([code, err]).toEqual([1, expect.stringContaining('already exists')]);
      else expect([moment, code, err]).toEqual([moment, 0, '']);
      const out = (name: string): Buffer => readFileSync(join(folder, 'out', name));
      expect(readdirSync(join(folder, 'out')).toSorted()).toEqual([
        'x.test-key.pem',
        'x.test.p12',
        'x.test.pem',
      ]);
      const leaf = new X509Certificate(out('x.test.pem'));
      const ca = new X509Certificate(readFileSync(join(folder, 'data/ca.pem')));
      expect(leaf.verify(ca.publicKey)).toBe(true);
      expect(leaf.checkPrivateKey(createPrivateKey(out('x.test-key.pem')))).toBe(true);
      createSecureContext({ pfx: out('x.test.p12'), passphrase: 'secret' });
      expect(readdirSync(join(folder, 'data')).filter((name) => /lock$|new$/.test(name))).toEqual([]);
    });
    expect(kills).toBeGreaterThan(10);
  });

  test('by `ca init` leaves nothing that the next one refuses', { timeout: 240_000 }, async () => {
    mkdirSync(scratch.path('init'));
    const argsIn = (folder: string): string[] => [
      ...['ca', 'init', '--intermediate', '--crl-url', 'http://crl.test/a', '--data', join(folder, 'fresh')],
    ];
    const kills = await killEverywhere('init', argsIn, async (folder, moment) => {
      const fresh = join(folder, 'fresh');
      const isWhole = existsSync(join(fresh, 'ca.pem'));
      const { code, err } = await runAgain(folder, argsIn(folder));
      if (isWhole) expect([code, err]).toEqual([1, expect.stringContaining('there is already a CA in')]);
      else expect([moment, code, err]).toEqual([moment, 0, '']);
      const issue = ['ca', 'issue', 'x.test', '--data', fresh, '--out', join(fresh, 'out')];
      expect(await runAgain(folder, issue)).toEqual({ code: 0, err: '' });
      expect(
        readdirSync(fresh)
          .filter((name) => !name.endsWith('.tmp'))
          .toSorted(),
      ).toEqual([
        'ca-key.pem',
        'ca.pem',
        'certificates',
        'intermediate-database.json',
        'intermediate-key.pem',
        'intermediate.pem',
        'out',
        'publication.json',
      ]);
      const [root, intermediate, leaf] = ['ca.pem', 'intermediate.pem', 'out/x.test.pem'].map(
        (name) => new X509Certificate(readFileSync(join(fresh, name))),
      );
      expect(intermediate!.verify(root!.publicKey)).toBe(true);
      expect(leaf!.verify(intermediate!.publicKey)).toBe(true);
    });
    expect(kills).toBeGreaterThan(10);
  });
});
