import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { useScratch } from '../support/scratch.ts';
import { good, start, testudo, withBuild } from './program.ts';

// `testudo ca verify`, of chains that OpenSSL made, beside `openssl verify`.

withBuild('openssl')('testudo ca verify', () => {
  const scratch = useScratch('ca-verify');
  const openssl = (...args: string[]): string => scratch.run('openssl', ...args);
  const children: ChildProcessWithoutNullStreams[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** Makes NAME.pem and NAME.key. */
  const make = (name: string, issuer: string, extensions: string, ...args: string[]): void => {
    scratch.write(`${name}.ext`, `[x]\nsubjectKeyIdentifier=hash\n${extensions}\n`);
    openssl('genpkey', '-algorithm', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    const signer =
      issuer === name ? ['-signkey', `${name}.key`] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.pem`, '-days', '30', ...args],
      ...['-extfile', `${name}.ext`, '-extensions', 'x'],
    );
  };
  const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign';
  const server = (name: string): string =>
    `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature`;

  beforeAll(() => {
    make('root', 'root', CA);
    make('middle', 'root', `${CA}\nnameConstraints=critical,permitted;DNS:test,permitted;email:.test`);
    make('leaf', 'middle', server('www.example.test'));
    make('mail', 'middle', 'subjectAltName=email:alice@example.test\nextendedKeyUsage=emailProtection');
    make('user', 'middle', 'extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature');
    make('expired', 'middle', server('www.example.test'), '-days', '-1');
    make('outside', 'middle', server('www.example.org'));
    make('by-leaf', 'leaf', server('www.example.test'));
    make('stranger', 'stranger', CA);
    make('alone', 'alone', server('alone.example.test'));
    scratch.write('chain.pem', scratch.text('leaf.pem') + scratch.text('middle.pem'));
    const db =
      'database=index.txt\ncrlnumber=number\ndefault_md=sha256\ncrl_extensions=ext\nnew_certs_dir=.\nrand_serial=yes\npolicy=any\n[any]\ncommonName=supplied\n[ext]\nauthorityKeyIdentifier=keyid';
    scratch.write('ca.cnf', `[ca]\ndefault_ca=it\n[it]\n${db}\n`);
    scratch.write('number', '01\n');
    const list = (name: string, issuer: string, index: string, ...args: string[]): void => {
      scratch.write('index.txt', index);
      openssl(
        'ca',
        '-gencrl',
        '-config',
        'ca.cnf',
        '-cert',
        `${issuer}.pem`,
        '-keyfile',
        `${issuer}.key`,
        '-out',
        `${name}.crl`,
        ...args,
      );
    };
    const serial = openssl('x509', '-in', 'leaf.pem', '-noout', '-serial').trim().replace('serial=', '');
    list('clean', 'middle', '', '-crldays', '9');
    list(
      'listed',
      'middle',
      `R\t360101000000Z\t260102030405Z,keyCompromise\t${serial}\tunknown\t/CN=leaf\n`,
      '-crldays',
      '9',
    );
    list('old', 'middle', '', '-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200108000000Z');
    list('other', 'root', '', '-crldays', '9');
  });

  const run = (file: string, ...args: string[]) =>
    testudo(scratch, ['ca', 'verify', file, '--ca', 'root.pem', ...args]);

  describe('takes', () => {
    test.each([
      [
        'a server',
        'chain.pem',
        ['--host', 'www.example.test'],
        ['-verify_hostname', 'www.example.test', '-purpose', 'sslserver'],
      ],
      [
        'a mail user',
        'mail.pem',
        ['--profile', 'smime', '--host', 'alice@example.test'],
        ['-verify_email', 'alice@example.test', '-purpose', 'smimesign'],
      ],
      ['a client', 'user.pem', ['--profile', 'client'], ['-purpose', 'sslclient']],
      ['what RFC 5280 wants', 'chain.pem', ['--profile', 'rfc5280'], ['-x509_strict']],
      [
        'one that no list names',
        'chain.pem',
        ['--crl', 'clean.crl'],
        ['-crl_check', '-CRLfile', 'clean.crl'],
      ],
    ])('%s, as OpenSSL does', async (_, file, ours, theirs) => {
      const { code, out, err } = await run(file, '--untrusted', 'middle.pem', ...ours);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^good: /);
      expect(out).toMatch(/CN=root \(trusted\) \u2713/);
      expect(
        scratch.attempt(
          'openssl',
          'verify',
          '-CAfile',
          'root.pem',
          '-untrusted',
          'middle.pem',
          ...theirs,
          file,
        ).said,
      ).toContain('OK');
    });

    test('what has ended, as of a time when it had not', async () => {
      const dates = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'];
      const issue = (name: string, ...args: string[]): string =>
        openssl(
          ...[
            'ca',
            '-batch',
            '-notext',
            '-config',
            'ca.cnf',
            '-in',
            `${name}.csr`,
            '-out',
            `${name}-then.pem`,
            ...dates,
          ],
          ...['-extfile', `${name}.ext`, '-extensions', 'x', ...args],
        );
      scratch.write('index.txt', '');
      issue('root', '-selfsign', '-keyfile', 'root.key');
      issue('middle', '-cert', 'root-then.pem', '-keyfile', 'root.key');
      const verify = (...args: string[]) =>
        testudo(scratch, ['ca', 'verify', 'middle-then.pem', '--ca', 'root-then.pem', ...args]);
      expect((await verify('--time', '2020-01-15')).code).toBe(0);
      // Its last second, and the one after it.
      expect((await verify('--time', '2020-02-01T00:00:00Z')).code).toBe(0);
      for (const time of ['2020-02-01T00:00:01Z', '2019-12-31T23:59:59', '2020-02-01T00:00:00-01:00'])
        expect((await verify('--time', time)).code).toBe(1);
      expect((await verify()).out).toMatch(/\(expired\)/);
    });

    test('with --json, path and tree', async () => {
      const { code, out } = await run('chain.pem', '--host', 'www.example.test', '--json');
      const json = JSON.parse(out);
      expect([code, json.ok, json.error]).toEqual([0, true, null]);
      expect(json.path.map(({ subject }: { subject: string }) => subject)).toEqual([
        'CN=leaf',
        'CN=middle',
        'CN=root',
      ]);
      expect(json.tree.leaf).toMatchObject({
        ...{ subject: 'CN=leaf', source: 'peer', chosen: true, error: null },
        issuers: [
          { subject: 'CN=middle', issuers: [{ subject: 'CN=root', source: 'trust', position: 'anchor' }] },
        ],
      });
    });
  });

  describe('refuses, says why and what to do, and ends with 1:', () => {
    const rows: readonly (readonly [string, string, string[], string, RegExp, string[] | undefined])[] = [
      [
        'another name',
        'chain.pem',
        ['--host', 'www.other.test'],
        'name-mismatch',
        /use|issue/,
        ['-verify_hostname', 'www.other.test'],
      ],
      ['an expired one', 'expired.pem', [], 'expired', /renew it/, []],
      [
        'one that is not valid yet',
        'chain.pem',
        ['--time', '2020-01-01'],
        'not-yet-valid',
        /wait|clock/,
        ['-attime', '1577836800'],
      ],
      [
        'one with a missing intermediate',
        'leaf.pem',
        [],
        'unknown-issuer',
        /missing intermediate/,
        undefined,
      ],
      ['one that vouches for itself', 'alone.pem', [], 'self-signed', /trust/, []],
      [
        'one issued by what is no CA',
        'by-leaf.pem',
        ['--untrusted', 'leaf.pem'],
        'not-a-ca',
        /CA/,
        ['-untrusted', 'chain.pem'],
      ],
      ['names beyond a CA\u2019s limits', 'outside.pem', [], 'name-constraint', /another CA/, []],
      [
        'a client\u2019s for a server',
        'user.pem',
        ['--purpose', 'server'],
        'bad-extended-key-usage',
        /issue it for a/,
        ['-purpose', 'sslserver'],
      ],
      [
        'a server\u2019s for mail',
        'chain.pem',
        ['--profile', 'smime'],
        'bad-extended-key-usage',
        /issue it for a/,
        ['-purpose', 'smimesign'],
      ],
      [
        'a revoked one',
        'chain.pem',
        ['--crl', 'listed.crl'],
        'revoked',
        /new key/,
        ['-crl_check', '-CRLfile', 'listed.crl'],
      ],
      [
        'one with an old list',
        'chain.pem',
        ['--crl', 'old.crl'],
        'revocation-unknown',
        /list/,
        ['-crl_check', '-CRLfile', 'old.crl'],
      ],
      [
        'one with another CA\u2019s list',
        'chain.pem',
        ['--crl', 'other.crl'],
        'revocation-unknown',
        /list/,
        ['-crl_check', '-CRLfile', 'other.crl'],
      ],
    ];
    test.each(rows)('%s', async (_, file, ours, expected, hint, theirs) => {
      const needsMiddle = expected !== 'unknown-issuer';
      const untrusted = needsMiddle ? ['--untrusted', 'middle.pem'] : [];
      const { code, out, err } = await run(file, ...untrusted, ...ours);
      expect([code, err]).toEqual([1, '']);
      expect(out).toMatch(/^not good: CN=/);
      expect(out).toMatch(new RegExp(`problem +.*\\(${expected}\\)`));
      expect(/what to do +(.*)/.exec(out)?.[1]).toMatch(hint);
      expect(out).toMatch(/What was tried\n {4}CN=/);
      const { ok, error } = JSON.parse((await run(file, ...untrusted, ...ours, '--json')).out);
      expect([ok, error.code]).toEqual([false, expected]);
      if (theirs === undefined) return;
      const { status } = scratch.attempt(
        'openssl',
        'verify',
        '-CAfile',
        'root.pem',
        '-untrusted',
        'middle.pem',
        ...theirs,
        file,
      );
      expect(status).not.toBe(0);
    });

    test('a root that is not trusted', async () => {
      const { code, out } = await testudo(scratch, ['ca', 'verify', 'chain.pem', '--ca', 'stranger.pem']);
      expect([code, out]).toEqual([1, expect.stringMatching(/\(unknown-issuer\)/)]);
    });

    test('what the web\u2019s rules do not take', async () => {
      make('sloppy', 'middle', 'subjectAltName=DNS:www.example.test\nextendedKeyUsage=serverAuth,clientAuth');
      const web = await run('sloppy.pem', '--untrusted', 'middle.pem', '--profile', 'webpki', '--json');
      expect([web.code, JSON.parse(web.out).error.code]).toEqual([1, 'profile-violation']);
      expect((await run('sloppy.pem', '--untrusted', 'middle.pem')).code).toBe(0);
    });

    test('both ways are shown where two lead up, with what is wrong with each', async () => {
      // The same CA, once more: its certificate has ended, or is by nobody whom we trust.
      const again = (name: string, issuer: string, ...args: string[]): string =>
        openssl(
          ...['x509', '-req', '-in', 'middle.csr', '-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`],
          ...['-out', `${name}.pem`, ...args, '-extfile', 'middle.ext', '-extensions', 'x'],
        );
      again('middle-old', 'root', '-days', '-1');
      again('middle-strange', 'stranger', '-days', '9');
      const parts = ['leaf', 'middle-old', 'middle-strange'].map((name) => scratch.text(`${name}.pem`));
      scratch.write('two.pem', parts.join(''));
      const { code, out } = await run('two.pem');
      expect(code).toBe(1);
      expect(out).toMatch(/problem +.*\(expired\)/);
      expect(out).toMatch(/[\u251c\u2514]\u2500 CN=middle: expired: /);
      expect(out).toMatch(/[\u251c\u2514]\u2500 CN=middle: unknown-issuer: /);
    });
  });

  test('the CA of the data folder is trusted without a word, and only where --system does not exclude it', async () => {
    await good(scratch, 'ca', 'init', '--name', 'Mine', '--intermediate', 'Mine below');
    await good(scratch, 'ca', 'issue', 'www.example.test', '--out', '.');
    const out = await good(scratch, 'ca', 'verify', 'www.example.test.pem', '--host', 'www.example.test');
    expect(out).toMatch(/trusted +Mozilla\u2019s list and .*data\/ca\.pem/);
    const other = await testudo(scratch, ['ca', 'verify', 'www.example.test.pem', '--system']);
    expect([other.code, other.out]).toEqual([1, expect.stringMatching(/trusted +Mozilla\u2019s list\n/)]);
  });

  test('--ocsp and --online learn from a responder', async () => {
    const child = start(scratch, ['ca', 'ocsp', '--port', '0']);
    children.push(child);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    while (!out.includes('\n')) await once(child.stdout, 'data');
    const url = /http:\S+/.exec(out)![0];
    await good(
      ...[scratch, 'ca', 'issue', 'asked.example.test', '--out', '.', '--ocsp-url', url],
      ...['--issuer-url', `${url}intermediate.cer`],
    );
    const ask = (): string =>
      openssl(
        ...[
          'ocsp',
          '-issuer',
          'data/intermediate.pem',
          '-cert',
          'asked.example.test.pem',
          '-url',
          url,
          '-noverify',
        ],
        ...['-no_nonce', '-respout', 'answer.der'],
      );
    ask();
    const file = ['ca', 'verify', 'asked.example.test.pem'];
    expect(await good(scratch, ...file, '--ocsp', 'answer.der')).toMatch(
      /revocation +CN=asked\.example\.test: not revoked/,
    );
    // Without its intermediate, which is fetched.
    openssl('x509', '-in', 'asked.example.test.pem', '-out', 'bare.pem');
    expect(await good(scratch, 'ca', 'verify', 'bare.pem', '--online')).toMatch(/CN=Mine below \(fetched\)/);
    await good(scratch, 'ca', 'revoke', 'asked.example.test.pem', '--reason', 'superseded');
    const online = await testudo(scratch, [...file, '--online']);
    expect([online.code, online.out]).toEqual([
      1,
      expect.stringMatching(/revoked it since .*\(superseded\)/),
    ]);
    ask();
    expect((await testudo(scratch, [...file, '--ocsp', 'answer.der'])).code).toBe(1);
    // An answer about another certificate says nothing.
    const other = await testudo(scratch, ['ca', 'verify', 'www.example.test.pem', '--ocsp', 'answer.der']);
    expect([other.code, other.out]).toEqual([1, expect.stringMatching(/\(revocation-unknown\)/)]);
  });

  describe('wrong usage is one line, and 2:', () => {
    test.each([
      ['a file that is not there', ['none.pem'], /none\.pem: cannot read the certificate/],
      ['a file that is none', ['leaf.key'], /leaf\.key: cannot use the certificate/],
      ['roots that are none', ['chain.pem', '--ca', 'leaf.key'], /leaf\.key: cannot use the certificate/],
      ['a list that is none', ['chain.pem', '--crl', 'leaf.pem'], /leaf\.pem: there is no CRL in it/],
      ['a list that is not there', ['chain.pem', '--crl', 'none.crl'], /none\.crl: cannot read it/],
      [
        'an answer that is not there',
        ['chain.pem', '--ocsp', 'none.der'],
        /none\.der: cannot read the OCSP response/,
      ],
      ['not a time', ['chain.pem', '--time', 'soon'], /A time is such as/],
      ['a profile that is none', ['chain.pem', '--profile', 'lax'], /Allowed choices/],
      ['roots twice', ['chain.pem', '--ca', 'root.pem', '--system'], /exclude each other/],
    ])('%s', async (_, args, expected) => {
      const { code, out, err } = await testudo(scratch, ['ca', 'verify', ...args]);
      expect([code, out, err]).toEqual([2, '', expect.stringMatching(expected)]);
    });
  });
});
