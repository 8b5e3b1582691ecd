import { existsSync, renameSync, statSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { testWithPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';
import { good, testudo, withBuild } from './program.ts';

// `testudo ca init`, `issue` and `sign`, each as a process; OpenSSL, GnuTLS and NSS judge what comes out.

withBuild('openssl')('testudo ca', () => {
  const scratch = useScratch('ca-issue');
  const verify = (...args: string[]): string =>
    scratch.attempt('openssl', 'verify', '-x509_strict', '-CAfile', 'data/ca.pem', ...args).said;
  const text = (file: string): string => scratch.run('openssl', 'x509', '-in', file, '-noout', '-text');
  const mode = (file: string): number => statSync(scratch.path(file)).mode & 0o777;

  describe('with an intermediate that is limited to names', () => {
    beforeAll(async () => {
      await good(
        ...[scratch, 'ca', 'init', '--name', 'Example Root', '--intermediate', 'Example Issuing CA'],
        ...['--key', 'p384', '--organization', 'Example', '--country', 'DE', '--path-length', '1'],
        ...[
          '--permit',
          'example.test,192.0.2.0/24',
          '--permit',
          '@example.test',
          '--exclude',
          'secret.example.test',
        ],
        ...['--ocsp-url', 'http://ca.example.test/ocsp', '--crl-url', 'http://ca.example.test/ca.crl'],
      );
    });

    test('both are as they were asked for, and their keys for their owner only', () => {
      expect(text('data/ca.pem')).toMatch(/Subject: C = DE, O = Example, CN = Example Root/);
      expect(text('data/ca.pem')).toMatch(/CA:TRUE, pathlen:1/);
      expect(text('data/ca.pem')).toMatch(
        /Permitted:\s+DNS:example\.test\s+IP:192\.0\.2\.0\/255\.255\.255\.0/,
      );
      const below = text('data/intermediate.pem');
      expect(below).toMatch(/secp384r1/);
      expect(below).toMatch(/CA:TRUE, pathlen:0/);
      expect(below).toMatch(
        /Permitted:\s+DNS:example\.test\s+IP:192\.0\.2\.0\/255\.255\.255\.0\s+email:example\.test/,
      );
      expect(below).toMatch(/Excluded:\s+DNS:secret\.example\.test/);
      expect(verify('data/intermediate.pem')).toContain('OK');
      expect([mode('data'), mode('data/ca-key.pem'), mode('data/intermediate-key.pem')]).toEqual([
        0o700, 0o600, 0o600,
      ]);
    });

    test.each([
      ['server', ['www.example.test', '192.0.2.7'], 'p256', 'sslserver', /TLS Web Server Authentication/],
      ['client', ['alice@example.test'], 'ed25519', 'sslclient', /TLS Web Client Authentication/],
      ['email', ['bob@example.test'], 'rsa2048', 'smimesign', /E-mail Protection/],
      ['ike', ['gw.example.test'], 'p384', 'any', /ipsec Internet Key Exchange/],
      ['ocsp', ['A responder'], 'p256', 'ocsphelper', /OCSP Signing/],
    ])('a certificate for %s verifies', async (profile, names, key, purpose, expected) => {
      await good(scratch, 'ca', 'issue', '--profile', profile, ...names, '--key', key, '--out', profile);
      const name = names[0]!.replaceAll(' ', '_');
      const file = `${profile}/${name}.pem`;
      expect(verify('-untrusted', file, '-purpose', purpose, file)).toContain('OK');
      expect(text(file)).toMatch(expected);
      expect([mode(profile), mode(`${profile}/${name}-key.pem`)]).toEqual([0o700, 0o600]);
      const publicKey = scratch.run('openssl', 'pkey', '-in', `${profile}/${name}-key.pem`, '-pubout');
      expect(scratch.run('openssl', 'x509', '-in', file, '-noout', '-pubkey')).toBe(publicKey);
      if (profile !== 'ocsp') expect(text(file)).toMatch(/URI:http:\/\/ca\.example\.test\/ca\.crl/);
    });

    test.each(['www.other.test', 'secret.example.test', '192.0.3.1', 'x@other.test'])(
      'a certificate for %s, outside of its limits, is not issued',
      async (name) => {
        const result = await testudo(scratch, ['ca', 'issue', name, '--out', 'other']);
        expect(result).toMatchObject({ code: 1, out: '' });
        expect(result.err).toMatch(
          /^testudo: cannot issue a certificate for .*: a CA above it may not vouch for .*\n$/,
        );
        expect(existsSync(scratch.path('other'))).toBe(false);
        expect(scratch.text('data/intermediate-database.json')).not.toContain(name);
      },
    );

    test('the root’s key may be elsewhere, but not for a further intermediate', async () => {
      const key = scratch.text('data/ca-key.pem');
      renameSync(scratch.path('data/ca-key.pem'), scratch.path('safe-place.pem'));
      await good(scratch, 'ca', 'issue', 'later.example.test', '--out', 'later');
      const refused = await testudo(scratch, [
        'ca',
        'issue',
        '--profile',
        'intermediate',
        'Team',
        '--out',
        'later',
      ]);
      expect(refused).toMatchObject({ code: 1, out: '' });
      expect(refused.err).toMatch(
        /^testudo: an intermediate is issued by the root, whose key is missing: .*\n$/,
      );
      renameSync(scratch.path('safe-place.pem'), scratch.path('data/ca-key.pem'));
      expect(scratch.text('data/ca-key.pem')).toBe(key);
      await good(
        scratch,
        'ca',
        'issue',
        '--profile',
        'intermediate',
        'Team',
        '--permit',
        'team.example.test',
        '--out',
        'later',
      );
      expect(text('later/Team.pem')).toMatch(/Permitted:\s+DNS:team\.example\.test/);
      expect(verify('later/Team.pem')).toContain('OK');
    });

    test('PKCS#12 files open with their password, and with no other', async () => {
      scratch.write('password', 'correct horse\nsecond line\n');
      await good(
        ...[scratch, 'ca', 'issue', '--profile', 'email', 'carol@example.test', '--out', 'p12', '--p12'],
        ...['--password-file', 'password'],
      );
      const file = 'p12/carol@example.test.p12';
      expect(mode(file)).toBe(0o600);
      const open = (password: string): string =>
        scratch.attempt('openssl', 'pkcs12', '-in', file, '-passin', `pass:${password}`, '-nodes').said;
      expect(open('correct horse').match(/-----BEGIN [A-Z ]+-----/g)).toEqual([
        ...['-----BEGIN CERTIFICATE-----', '-----BEGIN CERTIFICATE-----', '-----BEGIN PRIVATE KEY-----'],
      ]);
      expect(open('second line')).toMatch(/invalid password/i);
    });

    testWithPrograms('certutil', 'pk12util')(
      'NSS takes a PKCS#12 file, and its certificate for what it is for',
      async () => {
        const { code } = await testudo(
          ...([
            scratch,
            [
              'ca',
              'issue',
              '--profile',
              'server',
              'nss.example.test',
              '--out',
              'nss',
              '--p12',
              '--password-file',
              '-',
            ],
          ] as const),
          { input: 'from a pipe\n' },
        );
        expect(code).toBe(0);
        scratch.run('certutil', '-N', '-d', 'sql:nss', '--empty-password');
        scratch.run('certutil', '-A', '-d', 'sql:nss', '-n', 'root', '-t', 'C,,', '-i', 'data/ca.pem');
        scratch.run('pk12util', '-i', 'nss/nss.example.test.p12', '-d', 'sql:nss', '-W', 'from a pipe');
        expect(scratch.run('certutil', '-V', '-d', 'sql:nss', '-n', 'nss.example.test', '-u', 'V')).toContain(
          'is valid',
        );
        expect(
          scratch.attempt('certutil', '-V', '-d', 'sql:nss', '-n', 'nss.example.test', '-u', 'S').status,
        ).not.toBe(0);
      },
    );

    test('certificates that are issued at the same time are all remembered', async () => {
      const names = Array.from({ length: 4 }, (_, i) => `at-once-${i}.example.test`);
      await Promise.all(names.map((name) => good(scratch, 'ca', 'issue', name, '--out', 'at-once')));
      const database = scratch.text('data/intermediate-database.json');
      for (const name of names) expect(database).toContain(`CN=${name}`);
    });
  });

  describe('sign', () => {
    const request = (name: string, ...args: string[]): string => {
      scratch.run(
        'openssl',
        'req',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        ...args,
      );
      return `${name}.csr`;
    };

    test.each(['PEM', 'DER'])('takes a request of openssl req, %s', async (form) => {
      const name = `form-${form}`;
      request(
        ...[
          name,
          '-outform',
          form,
          '-subj',
          '/O=Evil/CN=www.example.test',
          '-addext',
          'subjectAltName=DNS:www.example.test',
        ],
        ...[
          '-addext',
          'keyUsage=keyCertSign',
          '-addext',
          'tlsfeature=status_request',
          '-addext',
          'nsComment=hello',
        ],
      );
      const out = await good(scratch, 'ca', 'sign', `${name}.csr`);
      expect(out).toMatch(/subject +CN=www\.example\.test,O=Evil/);
      expect(out).toMatch(/signature +by its own key/);
      expect(out).toMatch(/asks for +subjectAltName: taken/);
      expect(out).toMatch(/asks for +keyUsage: replaced/);
      expect(out).toMatch(/asks for +netscapeComment: ignored/);
      const file = `${name}.pem`;
      expect(verify('-untrusted', file, '-purpose', 'sslserver', file)).toContain('OK');
      expect(text(file)).toMatch(/Subject: CN = www\.example\.test\n/);
      expect(text(file)).toMatch(/TLS Feature:\s+status_request/);
      expect(text(file)).not.toMatch(/Certificate Sign|hello/);
      const publicKey = scratch.run('openssl', 'pkey', '-in', `${name}.key`, '-pubout');
      expect(scratch.run('openssl', 'x509', '-in', file, '-noout', '-pubkey')).toBe(publicKey);
    });

    testWithPrograms('certtool')('takes a request of certtool', async () => {
      scratch.write('template', 'cn = "gnutls.example.test"\ndns_name = "gnutls.example.test"\n');
      scratch.run('certtool', '--generate-privkey', '--key-type', 'ed25519', '--outfile', 'gnutls.key');
      scratch.run(
        'certtool',
        '--generate-request',
        '--load-privkey',
        'gnutls.key',
        '--template',
        'template',
        '--outfile',
        'gnutls.csr',
      );
      await good(scratch, 'ca', 'sign', 'gnutls.csr');
      scratch.write('gnutls-chain.pem', scratch.text('gnutls.pem') + scratch.text('data/ca.pem'));
      expect(
        scratch.run(
          'certtool',
          '--verify',
          '--load-ca-certificate',
          'data/ca.pem',
          '--infile',
          'gnutls-chain.pem',
        ),
      ).toMatch(/Chain verification output: Verified/);
    });

    test.each([
      [
        'another name than is allowed',
        ['-addext', 'subjectAltName=DNS:www.evil.test'],
        ['--allow', '*.example.test'],
        /the name DNS:www\.evil\.test is not allowed/,
      ],
      [
        'a CA',
        ['-addext', 'basicConstraints=CA:TRUE', '-addext', 'subjectAltName=DNS:a.example.test'],
        [],
        /it asks for a CA certificate/,
      ],
      [
        'more than is taken, strictly',
        ['-addext', 'subjectAltName=DNS:a.example.test', '-addext', 'nsComment=x'],
        ['--strict'],
        /it asks for the extension 2\.16\.840/,
      ],
      [
        'a name outside of its limits',
        ['-addext', 'subjectAltName=DNS:www.other.test'],
        [],
        /a CA above it may not vouch for DNS:www\.other\.test/,
      ],
      ['no name', ['-addext', 'keyUsage=digitalSignature'], [], /needs a name/],
    ])('refuses a request for %s', async (what, asked, options, expected) => {
      const name = `refused ${what}`;
      request(name, '-subj', '/O=x', ...asked);
      const { code, err } = await testudo(scratch, ['ca', 'sign', `${name}.csr`, ...options]);
      expect([code, err]).toEqual([1, expect.stringMatching(expected)]);
      expect(err.trim().split('\n')).toHaveLength(1);
      expect(scratch.attempt('openssl', 'x509', '-in', `${name}.pem`).status).not.toBe(0);
    });

    test('refuses a request that somebody else signed, and a file that is none', async () => {
      request('signed', '-subj', '/CN=a.example.test', '-outform', 'DER');
      const bytes = scratch.bytes('signed.csr');
      bytes[bytes.length - 1]! ^= 1;
      scratch.write('forged.csr', bytes);
      const forged = await testudo(scratch, ['ca', 'sign', 'forged.csr']);
      expect(forged.code).toBe(1);
      expect(forged.out).toMatch(/not by its own key/);
      expect(forged.err).toMatch(
        /nothing was issued: the request does not prove that its sender has the private key/,
      );
      const none = await testudo(scratch, ['ca', 'sign', 'data/ca.pem']);
      expect(none).toMatchObject({ code: 1, out: '' });
      expect(none.err).toMatch(/^testudo: data\/ca\.pem: cannot use the request: .*\n$/);
    });

    test('shows only, with --dry-run', async () => {
      request('dry', '-subj', '/CN=dry.example.test');
      const { code, out } = await testudo(scratch, ['ca', 'sign', 'dry.csr', '--dry-run', '--json']);
      expect([code, JSON.parse(out)]).toMatchObject([
        0,
        { request: { subject: 'CN=dry.example.test', proven: true } },
      ]);
      expect(scratch.attempt('openssl', 'x509', '-in', 'dry.pem').status).not.toBe(0);
    });
  });
});
