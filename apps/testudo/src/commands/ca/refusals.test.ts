import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../cli.ts';
import { folderWith, removeFolders } from '../../testing/folder.ts';
import { testIo } from '../../testing/io.ts';

// What is wrong is one clear line, an exit code, and nothing written.

afterAll(removeFolders);

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = testIo();
  const code = await main(['ca', ...args], io);
  return { code, out: io.out(), err: io.err() };
}

describe('init', () => {
  test.each([
    [['--key', 'rsa1024'], 2, /A kind of key is one of rsa, rsa2048/],
    [['--key', 'toString'], 2, /A kind of key is one of/],
    [['--days', '0'], 2, /A number of days from 1 to 10950/],
    [['--days', '1e3'], 2, /A number of days/],
    [['--path-length', '-1'], 2, /A number of CAs from 0 to 16/],
    [['--path-length', '0', '--intermediate'], 2, /leaves no room for an intermediate/],
    [['--permit', 'not a name'], 1, /"not a name" is not a name constraint: write example\.com/],
    [['--permit', '192.0.2.0/33'], 1, /is not a subnet/],
    [['--exclude', '192.0.2.1'], 1, /is not a name constraint/],
    [['--country', 'Germany'], 1, /country: 1 to 2 characters/],
    [['--country', 'de'], 1, /country: two capital letters/],
    [['--intermediate', 'x'.repeat(65)], 1, /a common name has 1 to 64 characters|commonName: 1 to 64/],
    [['--ocsp-url', 'https://ca.test/'], 2, /An http: address/],
    [['--crl-url', 'ca.test/list'], 2, /An http: address/],
    [['--crl-url', 'http://ca test/'], 2, /An http: address/],
  ])('%j', async (args, exit, message) => {
    const data = join(folderWith(), 'data');
    const { code, out, err } = await run('init', '--data', data, ...args);
    expect([code, out, err]).toEqual([exit, '', expect.stringMatching(message)]);
    expect(existsSync(data)).toBe(false);
  });

  test('over an intermediate whose root\u2019s key is elsewhere', async () => {
    const data = folderWith({ 'intermediate-key.pem': 'a key' });
    const { code, err } = await run('init', '--data', data);
    expect([code, err]).toEqual([1, expect.stringMatching(/there is already a CA in /)]);
    expect(readFileSync(join(data, 'intermediate-key.pem'), 'utf8')).toBe('a key');
    expect(readdirSync(data)).toEqual(['intermediate-key.pem']);
  });

  test('where a file is in the way of the folder', async () => {
    const folder = folderWith({ data: 'a file' });
    const { code, err } = await run('init', '--data', join(folder, 'data'));
    expect([code, err]).toEqual([1, expect.stringMatching(/^testudo: cannot make the folder .*\n$/)]);
  });
});

describe('with a CA', () => {
  let data: string;
  beforeAll(async () => {
    data = folderWith();
    await run('init', '--name', 'CA', '--data', data);
  });
  const database = (): string => {
    const file = join(data, 'ca-database.json');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  test.each([
    ['issue', ['not a name'], 2, /"not a name" is not a domain, an address or a mail address/],
    [
      'issue',
      ['a.test', '--profile', 'root'],
      2,
      /Allowed choices are server, client, email, smime, ike, ocsp, intermediate/,
    ],
    ['issue', ['a.test', '--profile', 'email'], 2, /a certificate for email cannot have dns names/],
    ['issue', ['a@b.test', '--profile', 'ike', 'http://x'], 2, /a certificate for ike cannot have uri names/],
    ['issue', ['--profile', 'intermediate', 'A', 'B'], 2, /an intermediate has one name/],
    [
      'issue',
      ['a.test', '--common-name', 'x'.repeat(65)],
      2,
      /a common name has 1 to 64 characters|commonName/,
    ],
    ['issue', ['a.test', '--country', 'xx'], 2, /country: two capital letters/],
    ['issue', ['a.test', '--p12'], 2, /needs a password, and there is no terminal: give --password-file/],
    ['issue', ['a.test', '--p12', '--password-file', '/none'], 2, /\/none: cannot read the password/],
    ['issue', ['a.test', '--issuer-url', 'ftp://x/'], 2, /An http: address/],
    ['sign', ['/none.csr'], 1, /\/none\.csr: cannot read the request/],
    ['sign', ['/none.csr', '--profile', 'intermediate'], 2, /Allowed choices are/],
    ['crl', ['--delta'], 1, /cannot make the list: a delta needs a complete list to build on/],
    ['crl', ['--days', '367'], 2, /A number of days from 1 to 366/],
    ['crl', ['--format', 'txt'], 2, /Allowed choices are der, pem/],
    ['ocsp', ['--port', '65536'], 2, /A number from 0 to 65535/],
    [
      'ocsp',
      ['--port', '0', '--host', '192.0.2.1'],
      1,
      /cannot listen on 192\.0\.2\.1:0: the address does not belong to this machine/,
    ],
    ['ocsp', ['--hours', '0'], 2, /A number of hours from 1/],
    ['revoke', ['zz'], 2, /zz is neither a file nor a serial number/],
    ['revoke', ['00'], 1, /this CA issued no certificate with serial number 00/],
  ])('%s %j', async (verb, args, exit, message) => {
    const out = folderWith();
    const before = database();
    const folderArgs = verb === 'issue' ? ['--out', out] : [];
    const result = await run(verb, ...args, ...folderArgs, '--data', data);
    expect([result.code, result.err]).toEqual([exit, expect.stringMatching(message)]);
    expect(readdirSync(out)).toEqual([]);
    if (verb === 'issue' || verb === 'sign') expect(database()).toBe(before);
  });

  test('issue never writes over a file of the three', async () => {
    for (const name of ['a.test.pem', 'a.test-key.pem', 'a.test.p12']) {
      const out = folderWith({ [name]: 'mine', password: 'x' });
      const args = [
        'issue',
        'a.test',
        '--p12',
        '--password-file',
        join(out, 'password'),
        '--out',
        out,
        '--data',
        data,
      ];
      const { code, err } = await run(...args);
      expect([code, err]).toEqual([
        1,
        expect.stringContaining(`${name} already exists and is never overwritten`),
      ]);
      expect(readFileSync(join(out, name), 'utf8')).toBe('mine');
      expect(readdirSync(out).sort()).toEqual([name, 'password'].sort());
    }
  });

  test('a list where no file can be', async () => {
    const file = join(folderWith({ file: '' }), 'file', 'list.crl');
    const { code, err } = await run('crl', '--out', file, '--data', data);
    expect([code, err]).toEqual([1, expect.stringMatching(/^testudo: cannot write .*list\.crl: .*\n$/)]);
  });

  test('a publication file that is none is named', async () => {
    const other = folderWith();
    await run('init', '--data', other, '--crl-url', 'http://ca.test/ca.crl');
    for (const content of ['{', '{"crl":"http://x/"}', '{"crl":["ftp://x/"]}', '{"csl":["http://x/"]}']) {
      writeFileSync(join(other, 'publication.json'), content);
      const { code, err } = await run('issue', 'a.test', '--data', other, '--out', folderWith());
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/cannot use .*publication\.json: it must be JSON/),
      ]);
    }
  });

  test('an intermediate that has lost its key, or its root, is not whole', async () => {
    for (const missing of ['intermediate-key.pem', 'intermediate.pem', 'ca.pem']) {
      const other = folderWith();
      await run('init', '--data', other, '--intermediate');
      rmSync(join(other, missing));
      const { code, err } = await run('issue', 'a.test', '--data', other, '--out', folderWith());
      expect([code, err]).toEqual([
        1,
        expect.stringContaining(`is incomplete: ${join(other, missing)} is missing`),
      ]);
    }
  });

  test('--root without its key says what to put back', async () => {
    const other = folderWith();
    await run('init', '--data', other, '--intermediate');
    renameSync(join(other, 'ca-key.pem'), join(other, 'elsewhere'));
    const { code, err } = await run('crl', '--root', '--data', other);
    expect([code, err]).toEqual([
      1,
      `testudo: the root\u2019s key is missing: put ${join(other, 'ca-key.pem')} back\n`,
    ]);
    expect((await run('crl', '--data', other)).code).toBe(0);
  });

  test('a database that a folder stands in the way of', async () => {
    const other = folderWith();
    await run('init', '--data', other);
    mkdirSync(join(other, 'ca-database.json'));
    const { code, err } = await run('crl', '--data', other);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/cannot use .*ca-database\.json: it is a directory/),
    ]);
  });
});
