import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testWithPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';
import { INTERMEDIATE, opensslCertificate } from './openssl.ts';
import { good, start, testudo, withBuild } from './program.ts';

// `testudo ca revoke`, `crl` and `ocsp`, each as a process; OpenSSL and GnuTLS ask.

withBuild('openssl')('what testudo ca revokes', () => {
  const scratch = useScratch('ca-revoke');
  const serialOf = (file: string): string =>
    scratch.run('openssl', 'x509', '-in', file, '-noout', '-serial').trim().replace('serial=', '');
  const crlText = (...args: string[]): string => scratch.run('openssl', 'crl', '-noout', '-text', ...args);

  beforeAll(async () => {
    await good(scratch, 'ca', 'init', '--name', 'Root', '--intermediate', 'Issuing');
    for (const name of ['good', 'lost', 'held', 'serial', 'late'])
      await good(scratch, 'ca', 'issue', `${name}.example.test`, '--out', '.');
    opensslCertificate(scratch, 'foreign');
    scratch.write('cas.pem', scratch.text('data/ca.pem') + scratch.text('data/intermediate.pem'));
  });

  const revoke = (...args: string[]): Promise<string> => good(scratch, 'ca', 'revoke', ...args);

  describe('crl', () => {
    beforeAll(async () => {
      await revoke(
        'lost.example.test.pem',
        '--reason',
        'keyCompromise',
        '--invalid-since',
        '2026-01-02T03:04:05Z',
      );
      await revoke('held.example.test.pem', '--reason', 'certificateHold');
      // As OpenSSL writes it, in capitals.
      await revoke(serialOf('serial.example.test.pem'));
    });

    test('writes a list that OpenSSL reads and verifies', async () => {
      expect(await good(scratch, 'ca', 'crl', '--days', '3')).toMatch(
        /List 1 of "CN=Issuing", 3 certificates/,
      );
      const args = ['-in', 'data/intermediate.crl', '-inform', 'DER', '-CAfile', 'cas.pem'];
      expect(scratch.attempt('openssl', 'crl', '-noout', ...args).said).toContain('verify OK');
      const text = crlText(...args);
      expect(text).toMatch(/CRL Number:\s+1\n/);
      expect(text.match(/Serial Number: [0-9A-F]+/g)?.sort()).toEqual(
        ['lost', 'held', 'serial']
          .map((name) => `Serial Number: ${serialOf(`${name}.example.test.pem`)}`)
          .sort(),
      );
      expect(text).toMatch(/Key Compromise/);
      expect(text).toMatch(/Invalidity Date:\s+Jan {2}2 03:04:05 2026 GMT/);
      expect(text).toMatch(/Certificate Hold/);
      const [last, next] = ['Last Update', 'Next Update'].map((name) =>
        Date.parse(new RegExp(`${name}: (.*)`).exec(text)![1]!),
      );
      expect((next! - last!) / 86_400_000).toBe(3);
    });

    test('and takes it into account', async () => {
      await good(scratch, 'ca', 'crl', '--out', 'list.pem');
      scratch.write('chain-and-crl.pem', scratch.text('cas.pem') + scratch.text('list.pem'));
      const check = (name: string): string =>
        scratch.attempt(
          'openssl',
          'verify',
          '-crl_check',
          '-CAfile',
          'chain-and-crl.pem',
          `${name}.example.test.pem`,
        ).said;
      expect(check('good')).toContain('OK');
      for (const name of ['lost', 'held', 'serial']) expect(check(name)).toMatch(/certificate revoked/);
    });

    testWithPrograms('certtool')('certtool verifies it, too', async () => {
      await good(scratch, 'ca', 'crl', '--out', 'gnutls.pem');
      expect(
        scratch.run(
          'certtool',
          '--verify-crl',
          '--load-ca-certificate',
          'data/intermediate.pem',
          '--infile',
          'gnutls.pem',
        ),
      ).toMatch(/Verification output: Verified/);
    });

    test('a delta tells what came and went since', async () => {
      await good(scratch, 'ca', 'crl');
      const number = /CRL Number:\s+(\d+)/.exec(
        crlText('-in', 'data/intermediate.crl', '-inform', 'DER'),
      )![1]!;
      await revoke('held.example.test.pem', '--release');
      await revoke('late.example.test.pem', '--reason', 'superseded');
      await good(scratch, 'ca', 'crl', '--delta', '--out', 'delta.pem');
      const text = crlText('-in', 'delta.pem');
      expect(text).toMatch(new RegExp(`Delta CRL Indicator: critical\\s+${number}\\n`));
      expect(text).toMatch(new RegExp(`${serialOf('held.example.test.pem')}[\\s\\S]*Remove From CRL`));
      expect(text).toMatch(/Superseded/);
      expect(text).not.toMatch(/Key Compromise/);
    });

    test('of the root is another one, on which its intermediates stand', async () => {
      await good(scratch, 'ca', 'issue', '--profile', 'intermediate', 'Team', '--out', '.');
      await revoke('Team.pem', '--reason', 'cessationOfOperation');
      expect(await good(scratch, 'ca', 'crl', '--root')).toMatch(/List 1 of "CN=Root", 1 certificate,/);
      const text = crlText('-in', 'data/ca.crl', '-inform', 'DER', '-CAfile', 'data/ca.pem');
      expect(text).toMatch(/Issuer: CN = Root/);
      expect(text).toContain(serialOf('Team.pem'));
    });

    test('what the gateway issued can be revoked as well', async () => {
      // As `testudo up` does it: with the CA's key, without its database.
      opensslCertificate(scratch, 'by', { commonName: 'by.example.test', issuer: INTERMEDIATE });
      await revoke('by.pem');
      await good(scratch, 'ca', 'crl', '--out', 'by-crl.pem');
      expect(crlText('-in', 'by-crl.pem')).toContain(serialOf('by.pem'));
    });
  });

  describe('cannot be', () => {
    test.each([
      [
        'a certificate of another CA',
        () => ['foreign.pem'],
        1,
        /was not issued by "CN=Issuing" or "CN=Root"/,
      ],
      ['a forged one', () => forged(), 1, /was not issued by/],
      [
        'a serial number that it never issued',
        () => ['00:11:22'],
        1,
        /this CA issued no certificate with serial number 1122/,
      ],
      ['what is neither', () => ['no-such-file.pem'], 2, /neither a file nor a serial number/],
      ['one that is revoked already', () => ['lost.example.test.pem'], 1, /was already revoked on /],
      [
        'for a reason that is none',
        () => ['good.example.test.pem', '--reason', 'boredom'],
        2,
        /Allowed choices/,
      ],
      [
        'from the future on',
        () => ['good.example.test.pem', '--invalid-since', '2999-01-01'],
        2,
        /a time in the past/,
      ],
      ['since not a time', () => ['good.example.test.pem', '--invalid-since', 'May'], 2, /A time is such as/],
    ])('%s', async (_, args, exit, expected) => {
      const { code, out, err } = await testudo(scratch, ['ca', 'revoke', ...args()]);
      expect([code, out, err]).toEqual([exit, '', expect.stringMatching(expected)]);
    });

    test('released when it is not on hold', async () => {
      const { code, err } = await testudo(scratch, ['ca', 'revoke', 'good.example.test.pem', '--release']);
      expect([code, err]).toEqual([1, expect.stringMatching(/not on hold/)]);
    });

    /** The right names, by a key that is not the CA's. */
    function forged(): string[] {
      const certificate = opensslCertificate(scratch, 'fake', { commonName: 'Issuing' });
      const issuer = { certificate, key: 'fake.key' };
      return [opensslCertificate(scratch, 'forged', { commonName: 'x', issuer })];
    }
  });

  describe('ocsp', () => {
    let child: ChildProcessWithoutNullStreams;
    let url: string;
    let out = '';
    beforeAll(async () => {
      child = start(scratch, ['ca', 'ocsp', '--port', '0', '--hours', '2']);
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      while (!out.endsWith('\n')) await once(child.stdout, 'data');
      url = /http:\S+/.exec(out)![0];
    });
    afterAll(() => void child.kill('SIGKILL'));

    const ask = (file: string, issuer = 'data/intermediate.pem', ...args: string[]): string =>
      scratch.attempt(
        'openssl',
        'ocsp',
        '-issuer',
        issuer,
        '-cert',
        file,
        '-url',
        url,
        '-CAfile',
        'cas.pem',
        ...args,
      ).said;

    test('OpenSSL gets verified answers, and each is told on standard output', async () => {
      const answer = ask('good.example.test.pem');
      expect(answer).toMatch(/good\.example\.test\.pem: good[\s\S]*Response verify OK/);
      expect(ask('lost.example.test.pem')).toMatch(
        /lost\.example\.test\.pem: revoked[\s\S]*Reason: keyCompromise/,
      );
      await expect.poll(() => out).toContain(`${serialOf('lost.example.test.pem').toLowerCase()} revoked`);
    });

    test('about a certificate that is revoked meanwhile', async () => {
      await good(scratch, 'ca', 'issue', 'meanwhile.example.test', '--out', '.');
      expect(ask('meanwhile.example.test.pem')).toContain('meanwhile.example.test.pem: good');
      await revoke('meanwhile.example.test.pem', '--reason', 'superseded');
      expect(ask('meanwhile.example.test.pem')).toMatch(/meanwhile\.example\.test\.pem: revoked/);
    });

    test('about the root\u2019s certificates, too, and by a responder that the root delegated to', () => {
      expect(ask('Team.pem', 'data/ca.pem')).toMatch(/Team\.pem: revoked[\s\S]*Response verify OK/);
      expect(ask('data/intermediate.pem', 'data/ca.pem', '-text')).toMatch(
        /Subject: CN=OCSP responder|CN = OCSP responder/,
      );
    });

    test('but not about those of others, nor about serial numbers that nobody has', () => {
      expect(ask('good.example.test.pem', 'foreign.pem')).toMatch(/Responder Error: unauthorized/);
      expect(
        scratch.attempt(
          'openssl',
          'ocsp',
          '-issuer',
          'data/intermediate.pem',
          '-serial',
          '0x1234',
          '-url',
          url,
          '-CAfile',
          'cas.pem',
        ).said,
      ).toMatch(/0x1234: unknown/);
    });

    testWithPrograms('ocsptool')('GnuTLS takes its answers', () => {
      const said = scratch.attempt(
        ...(['ocsptool', `--ask=${url}`, '--load-cert', 'good.example.test.pem'] as const),
        ...['--load-issuer', 'data/intermediate.pem', '--load-trust', 'data/intermediate.pem', '--nonce'],
      ).said;
      expect(said).toMatch(/Certificate Status: good/);
      expect(said).toMatch(/Verifying OCSP Response: Success/);
    });

    test('the lists and certificates are there to be fetched, and nothing else', async () => {
      await good(scratch, 'ca', 'crl');
      const get = async (path: string): Promise<[number, string | null, Uint8Array]> => {
        const response = await fetch(new URL(path, url));
        return [
          response.status,
          response.headers.get('content-type'),
          new Uint8Array(await response.arrayBuffer()),
        ];
      };
      expect(await get('intermediate.crl')).toEqual([
        200,
        'application/pkix-crl',
        scratch.bytes('data/intermediate.crl'),
      ]);
      const [status, type, certificate] = await get('intermediate.cer');
      scratch.write('fetched.cer', certificate);
      expect([status, type, serialOf('fetched.cer')]).toEqual([
        200,
        'application/pkix-cert',
        serialOf('data/intermediate.pem'),
      ]);
      expect((await get('intermediate-delta.crl'))[0]).toBe(404);
      for (const path of ['ca-key.pem', '..%2fca-key.pem', 'intermediate-database.json']) {
        const [, kind, body] = await get(path);
        expect([kind, body.length]).toEqual(['application/ocsp-response', 5]);
      }
    });

    test('its key is for its owner only, and SIGTERM ends it with 0', async () => {
      expect(statSync(scratch.path('data/intermediate-ocsp-key.pem')).mode & 0o777).toBe(0o600);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect((await ended)[0]).toBe(0);
    });

    test('a port that is taken is one line', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const { code, err } = await testudo(scratch, ['ca', 'ocsp', '--port', String(port)]);
      server.close();
      expect([code, err]).toEqual([
        1,
        `testudo: cannot listen on 127.0.0.1:${port}: the address is in use; try another --port\n`,
      ]);
    });
  });

  test('a database that is broken stops everything, by its name', async () => {
    const before = scratch.text('data/intermediate-database.json');
    writeFileSync(scratch.path('data/intermediate-database.json'), '{');
    chmodSync(scratch.path('data/intermediate-database.json'), 0o600);
    for (const args of [['crl'], ['revoke', 'good.example.test.pem'], ['issue', 'new.example.test']]) {
      const { code, err } = await testudo(scratch, ['ca', ...args]);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/intermediate-database\.json is not the database of a CA/),
      ]);
    }
    scratch.write('data/intermediate-database.json', before);
  });
});
