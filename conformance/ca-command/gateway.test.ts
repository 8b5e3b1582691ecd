import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useScratch } from '../support/scratch.ts';
import { INTERMEDIATE, opensslCertificate } from './openssl.ts';
import { good, start, withBuild } from './program.ts';

// The gateway with a CA that has an intermediate, whose root's key is elsewhere.

withBuild('openssl')('testudo up under an intermediate', () => {
  const scratch = useScratch('ca-gateway');
  let child: ChildProcessWithoutNullStreams;
  let port: string;
  beforeAll(async () => {
    await good(scratch, 'ca', 'init', '--name', 'Root', '--intermediate', 'Issuing');
    rmSync(scratch.path('data/ca-key.pem'));
    child = start(scratch, ['up', '--https-port', '0', '--echo-port', '0']);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    while (!/https:\/\/localhost:\d+\//.test(out)) await once(child.stdout, 'data');
    port = /https:\/\/localhost:(\d+)\//.exec(out)![1]!;
  });
  afterAll(() => void child.kill('SIGKILL'));

  test('sends it along, so that who trusts the root takes its certificate', async () => {
    const args = [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      'localhost',
      '-verify_hostname',
      'localhost',
    ];
    const said = scratch.attempt('openssl', ...args, '-CAfile', 'data/ca.pem', '-verify_return_error').said;
    expect(said).toMatch(/Verify return code: 0 \(ok\)/);
    expect(said).toMatch(/ 1 s:CN = Issuing\s+i:CN = Root/);
  });

  test('is known to the responder, and so is what it issues later', async () => {
    const responder = start(scratch, ['ca', 'ocsp', '--port', '0']);
    let out = '';
    responder.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    while (!out.includes('\n')) await once(responder.stdout, 'data');
    const url = /http:\S+/.exec(out)![0];
    scratch.write('cas.pem', scratch.text('data/ca.pem') + scratch.text('data/intermediate.pem'));
    const ask = (file: string): string => {
      const args = [
        'ocsp',
        '-issuer',
        'data/intermediate.pem',
        '-CAfile',
        'cas.pem',
        '-url',
        url,
        '-cert',
        file,
      ];
      return scratch.attempt('openssl', ...args).said;
    };
    const [file] = readdirSync(scratch.path('data/certificates')).filter((name) =>
      /(?<!-key)\.pem$/.test(name),
    );
    expect(ask(`data/certificates/${file}`)).toMatch(/: good[\s\S]*verify OK/);
    opensslCertificate(scratch, 'later', { issuer: INTERMEDIATE });
    expect(ask('later.pem')).toMatch(/later\.pem: unknown/);
    copyFileSync(scratch.path('later.pem'), scratch.path('data/certificates/later.pem'));
    expect(ask('later.pem')).toMatch(/later\.pem: good/);
    responder.kill('SIGKILL');
  });

  test('and what it issued can be revoked by its file', async () => {
    const [file] = readdirSync(scratch.path('data/certificates')).filter((name) =>
      /^localhost.*(?<!-key)\.pem$/.test(name),
    );
    expect(
      await good(scratch, 'ca', 'revoke', `data/certificates/${file}`, '--reason', 'superseded'),
    ).toMatch(/^Revoked: /);
    expect(await good(scratch, 'ca', 'crl')).toMatch(/of "CN=Issuing", 1 certificate,/);
  });
});
