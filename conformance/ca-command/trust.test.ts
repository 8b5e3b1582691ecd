import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { requireProgram, testWithPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';
import { good, type Run, testudo, withBuild } from './program.ts';

// `testudo ca trust`, in a home of its own. The system's list is tested where its folders are no system's
// (apps/testudo/src/trust): no test here says --store system.

withBuild('openssl')('testudo ca trust', () => {
  const scratch = useScratch('ca-trust');
  beforeAll(async () => {
    await good(scratch, 'ca', 'init', '--name', 'Trusted: CA', '--intermediate', 'Below');
    await good(scratch, 'ca', 'issue', 'localhost', '--out', '.');
  });

  test('says it for each system and program, with the file and how to take it back', async () => {
    const out = await good(scratch, 'ca', 'trust');
    for (const pattern of [
      /Debian, Ubuntu\n {2}sudo cp \S+\/data\/ca\.pem \/usr\/local\/share\/ca-certificates\/testudo-[0-9a-f]{16}\.crt\n {2}sudo update-ca-certificates\n {2}undo: /,
      /Fedora, RHEL\n[^\n]*\/etc\/pki\/ca-trust\/source\/anchors/,
      /Alpine\n/,
      /Arch\n {2}sudo trust anchor --store \S+ca\.pem\n {2}undo: sudo trust anchor --remove/,
      /macOS\n {2}sudo security add-trusted-cert -d -r trustRoot/,
      /Windows \(as administrator\)\n {2}certutil -addstore -f Root "[^"]+"/,
      /Firefox\n/,
      /Java\n {2}keytool -importcert -noprompt -cacerts/,
      /Node\.js\n {2}export NODE_EXTRA_CA_CERTS=\S+ca\.pem\n/,
    ])
      expect(out).toMatch(pattern);
    const { instructions } = JSON.parse(await good(scratch, 'ca', 'trust', '--json'));
    expect(instructions.length).toBeGreaterThan(9);
  });

  test('what it says for Node works', async () => {
    const server = createServer(
      { cert: scratch.text('localhost.pem'), key: scratch.text('localhost-key.pem') },
      (socket) => socket.end('hello'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const line = /export NODE_EXTRA_CA_CERTS=.*/.exec(await good(scratch, 'ca', 'trust'))![0];
    const script = `require('node:tls').connect({ port: ${port}, host: 'localhost' }).on('error', (e) => process.exit(7)).pipe(process.stdout)`;
    const connect = async (before: string): Promise<string> =>
      new Promise((resolve) => {
        import('node:child_process').then(({ execFile }) => {
          execFile('sh', ['-c', `${before}\nexec "${process.execPath}" -e "${script}"`], (error, stdout) =>
            resolve(error === null ? stdout : `failed ${error.code}`),
          );
        });
      });
    expect([await connect(line), await connect('true')]).toEqual(['hello', 'failed 7']);
    server.close();
  });

  testWithPrograms('keytool')('what it says for Java works, and how to take it back', async () => {
    const { instructions } = JSON.parse(await good(scratch, 'ca', 'trust', '--json')) as {
      instructions: { where: string; trust: string[]; undo: string[] }[];
    };
    const java = instructions.find(({ where }) => where === 'Java')!;
    // The machine's own list stays as it is: the same with a list of its own.
    const run = (line: string): string =>
      execFileSync('sh', ['-c', line.replace('-cacerts', `-keystore '${scratch.path('keystore')}'`)], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    const list = (): string => run('keytool -list -cacerts -storepass changeit');
    run(java.trust[0]!);
    expect(list()).toMatch(/testudo-[0-9a-f]{16}, .*trustedCertEntry/);
    run(java.undo[0]!);
    expect(list()).not.toContain('testudo-');
  });
});

withBuild('certutil', 'openssl')('testudo ca trust --install --store nss', () => {
  const scratch = useScratch('ca-trust-nss');
  const database = (name: string): string => `sql:${scratch.path(name)}`;
  const isTrusted = (name: string): boolean =>
    scratch.attempt('certutil', '-V', '-d', database(name), '-n', 'leaf', '-u', 'V').status === 0;
  const run = (...args: string[]): Promise<Run> =>
    testudo(scratch, ['ca', 'trust', ...args, '--store', 'nss'], { env: { HOME: scratch.path('home') } });
  const outcomes = async (...args: string[]): Promise<[number | null, string[]]> => {
    const { code, out } = await run(...args, '--json');
    return [code, JSON.parse(out).stores.map(({ outcome }: { outcome: string }) => outcome)];
  };
  const CHROMIUM = 'home/.pki/nssdb';
  const FIREFOX = 'home/.mozilla/firefox/abc.default';
  const LOCKED = 'home/.thunderbird/locked.default';

  beforeAll(async () => {
    await good(scratch, 'ca', 'init', '--name', 'Trusted: CA');
    await good(scratch, 'ca', 'issue', 'localhost', '--out', '.');
    mkdirSync(scratch.path('home'));
  });

  test('says so when there is nothing to take back', async () => {
    expect(await outcomes('--uninstall')).toEqual([0, ['not there']]);
  });

  test('makes Chromium\u2019s database, and finds Firefox\u2019s profiles', async () => {
    mkdirSync(scratch.path(FIREFOX), { recursive: true });
    scratch.run('certutil', '-N', '-d', database(FIREFOX), '--empty-password');
    const { code, out, err } = await run('--install');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /installed: .*\.pki\/nssdb: as "Testudo Trusted_ CA [0-9a-f]{16}"\ninstalled: .*abc\.default: /,
    );
    for (const name of [CHROMIUM, FIREFOX]) {
      scratch.run('certutil', '-A', '-d', database(name), '-n', 'leaf', '-t', ',,', '-i', 'localhost.pem');
      expect(isTrusted(name)).toBe(true);
    }
    expect(await outcomes('--install')).toEqual([0, ['already there', 'already there']]);
  });

  test('takes back what it put there, and nothing else', async () => {
    expect(await outcomes('--uninstall')).toEqual([0, ['removed', 'removed']]);
    for (const name of [CHROMIUM, FIREFOX]) {
      expect(isTrusted(name)).toBe(false);
      expect(scratch.run('certutil', '-L', '-d', database(name))).toMatch(/leaf/);
    }
  });

  test('does not ask for a database\u2019s password: that one is left alone, and told', async () => {
    mkdirSync(scratch.path(LOCKED), { recursive: true });
    scratch.write('nss-password', 'a password\n');
    scratch.run('certutil', '-N', '-d', database(LOCKED), '-f', 'nss-password');
    for (let i = 0; i < 2; i++) {
      const { code, out } = await run('--install');
      expect(code).toBe(1);
      expect(out).toMatch(/failed: .*locked\.default: .*\nHow to do it by hand: .* ca trust\n/);
      expect(scratch.run('certutil', '-L', '-d', database(LOCKED))).not.toContain('Testudo');
    }
  });

  describe('is refused with one line for', () => {
    test.each([
      ['what is no CA', ['localhost.pem', '--install'], 1, /this certificate is no CA/],
      ['what is no certificate', ['localhost-key.pem', '--install'], 1, /cannot use the certificate/],
      ['both ways at once', ['--install', '--uninstall'], 2, /exclude each other/],
      ['neither', [], 2, /--store needs --install/],
    ])('%s', async (_, args, exit, expected) => {
      const { code, out, err } = await run(...args);
      expect([code, out, err]).toEqual([exit, '', expect.stringMatching(expected)]);
    });

    test('an intermediate', async () => {
      await good(scratch, 'ca', 'issue', '--profile', 'intermediate', 'Team', '--out', '.');
      const { code, err } = await run('Team.pem', '--install');
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/is an intermediate: give the root above it, "CN=Trusted: CA"/),
      ]);
    });
  });

  describe('roots of the same subject are told apart by their bytes:', () => {
    const HOME = 'same/home';
    const place = `${HOME}/.pki/nssdb`;
    const env = { HOME: '' };
    const names = ['one', 'two', 'three'];
    const list = (): string => scratch.run('certutil', '-L', '-d', database(place));
    const on = (what: string, ...args: string[]): Promise<Run> =>
      testudo(scratch, ['ca', 'trust', `${what}.pem`, ...args, '--store', 'nss'], { env });
    const validates = (what: string): boolean => {
      const file = `${what}-localhost.pem`;
      const leaf = `${what} leaf`;
      scratch.run('certutil', '-A', '-d', database(place), '-n', leaf, '-t', ',,', '-i', file);
      return scratch.attempt('certutil', '-V', '-d', database(place), '-n', leaf, '-u', 'V').status === 0;
    };

    beforeAll(async () => {
      env.HOME = scratch.path(HOME);
      mkdirSync(scratch.path(HOME), { recursive: true });
      for (const name of names) {
        const data = ['--data', scratch.path(`same/${name}`)];
        await good(scratch, 'ca', 'init', '--name', 'Same CA', ...data);
        await good(scratch, 'ca', 'issue', 'localhost', '--out', `same/${name}/out`, ...data);
        copyFileSync(scratch.path(`same/${name}/ca.pem`), scratch.path(`${name}.pem`));
        copyFileSync(scratch.path(`same/${name}/out/localhost.pem`), scratch.path(`${name}-localhost.pem`));
      }
    });

    test('all are installed, and one is taken back alone', async () => {
      for (const name of names) expect((await on(name, '--install')).out).toMatch(/^installed: /);
      for (const name of names) expect((await on(name, '--install')).out).toMatch(/^already there: /);
      expect(await on('two', '--uninstall')).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^removed: /),
      });
      expect(await on('two', '--uninstall')).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^not there: /),
      });
      expect(names.map(validates)).toEqual([true, false, true]);
    });

    test('also under names that somebody else gave them', async () => {
      for (const name of names) await on(name, '--uninstall');
      for (const name of names)
        scratch.run(
          'certutil',
          '-A',
          '-d',
          database(place),
          '-n',
          `mine ${name}`,
          '-t',
          'C,,',
          '-i',
          `${name}.pem`,
        );
      expect((await on('one', '--install')).out).toMatch(/^already there: /);
      expect(await on('one', '--uninstall')).toMatchObject({
        code: 0,
        out: expect.stringContaining('"mine one"'),
      });
      expect(list()).not.toContain('mine one');
      expect(list()).toMatch(/mine two +C,,/);
      expect(list()).toMatch(/mine three +C,,/);
    });

    test('a database that cannot be changed keeps the root, and that is an error', async () => {
      const fake = scratch.path('fake');
      mkdirSync(fake, { recursive: true });
      const certutil = requireProgram('certutil');
      scratch.write(
        'fake/certutil',
        // As a word of its own: names of temporary folders may hold the letters.
        `#!/bin/sh\ncase " $* " in *" -D "*) echo "locked" >&2; exit 255;; esac\nexec ${certutil} "$@"\n`,
      );
      chmodSync(join(fake, 'certutil'), 0o755);
      const { code, out } = await testudo(
        scratch,
        ['ca', 'trust', 'three.pem', '--uninstall', '--store', 'nss'],
        { env: { ...env, PATH: `${fake}:${process.env['PATH']}` } },
      );
      expect([code, out]).toEqual([1, expect.stringMatching(/^failed: .*: locked\n/)]);
    });
  });

  test('what cannot be looked at may hold the root still: an error', async () => {
    const { code, out } = await testudo(scratch, ['ca', 'trust', '--uninstall', '--store', 'nss'], {
      env: { HOME: scratch.path('home'), PATH: scratch.path('home') },
    });
    expect([code, out]).toEqual([1, expect.stringMatching(/^skipped: .*there is no certutil/)]);
  });

  test('without certutil it is skipped, with what to install', async () => {
    const { code, out } = await testudo(scratch, ['ca', 'trust', '--install', '--store', 'nss'], {
      env: { HOME: scratch.path('other-home'), PATH: scratch.path('home') },
    });
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(
        /^skipped: .*there is no certutil on this machine; on Debian: apt-get install libnss3-tools\n/,
      ),
    ]);
  });
});
