import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../cli.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { testIo } from '../testing/io.ts';

afterAll(removeFolders);

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = testIo();
  const code = await main(args, io);
  return { code, out: io.out(), err: io.err() };
}

describe('testudo ca init', () => {
  test('makes a CA that Node takes for one', async () => {
    const data = folderWith();
    const { code, out } = await run('ca', 'init', '--name', 'My CA', '--data', data);
    expect(code).toBe(0);
    expect(out).toContain('A new CA, "My CA"');
    const ca = new X509Certificate(readFileSync(join(data, 'ca.pem')));
    expect([ca.subject, ca.ca, ca.verify(ca.publicKey)]).toEqual(['CN=My CA', true, true]);
    expect(statSync(join(data, 'ca-key.pem')).mode & 0o777).toBe(0o600);
  });

  test('never over another one', async () => {
    const data = folderWith();
    await run('ca', 'init', '--data', data);
    const before = readFileSync(join(data, 'ca-key.pem'));
    const { code, err } = await run('ca', 'init', '--data', data);
    expect([code, err]).toEqual([
      1,
      `testudo: there is already a CA in ${data}, and its key is never overwritten: choose another folder with --data\n`,
    ]);
    expect(readFileSync(join(data, 'ca-key.pem'))).toEqual(before);
  });

  test('with a name that is too long says so', async () => {
    const { code, err } = await run('ca', 'init', '--name', 'x'.repeat(65), '--data', folderWith());
    expect(code).toBe(1);
    expect(err).toContain('a common name has 1 to 64 characters');
  });

  test('tells a script where the files are', async () => {
    const data = folderWith();
    const { out } = await run('ca', 'init', '--json', '--data', data);
    expect(JSON.parse(out)).toMatchObject({
      files: { certificate: join(data, 'ca.pem'), key: join(data, 'ca-key.pem') },
      certificate: { isCa: true },
    });
  });
});

describe('testudo ca issue', () => {
  let data: string;
  beforeAll(async () => {
    data = folderWith();
    await run('ca', 'init', '--data', data);
  });

  test('issues for a server, with the names asked for', async () => {
    const out = folderWith();
    const result = await run(
      'ca',
      'issue',
      'www.example.test',
      '*.example.test',
      '192.0.2.1',
      '--data',
      data,
      '--out',
      out,
      '--days',
      '30',
    );
    expect(result.code).toBe(0);
    const certificate = new X509Certificate(readFileSync(join(out, 'www.example.test.pem')));
    const ca = new X509Certificate(readFileSync(join(data, 'ca.pem')));
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkHost('www.example.test')).toBe('www.example.test');
    expect(certificate.checkHost('mail.example.test')).toBe('*.example.test');
    expect(certificate.checkIP('192.0.2.1')).toBe('192.0.2.1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThan(31);
    const key = join(out, 'www.example.test-key.pem');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(readFileSync(key, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test('issues for a client, whose name may be any', async () => {
    const out = folderWith();
    expect((await run('ca', 'issue', '--client', 'alice', '--data', data, '--out', out)).code).toBe(0);
    const certificate = new X509Certificate(readFileSync(join(out, 'alice.pem')));
    expect([certificate.subject, certificate.keyUsage]).toEqual(['CN=alice', ['1.3.6.1.5.5.7.3.2']]);
  });

  test('never over another one', async () => {
    const out = folderWith();
    await run('ca', 'issue', 'a.test', '--data', data, '--out', out);
    const { code, err } = await run('ca', 'issue', 'a.test', '--data', data, '--out', out);
    expect(code).toBe(1);
    expect(err).toContain('a.test-key.pem already exists and is never overwritten');
  });

  test.each([
    [['not a name'], 2, 'cannot issue a certificate for not a name'],
    [['a.test', '--days', '0'], 2, 'A number of days from 1 to 3650'],
    [[], 2, "missing required argument 'name'"],
    [['a.test', '--force'], 2, "unknown option '--force'"],
  ])('%j is refused', async (args, code, message) => {
    const result = await run('ca', 'issue', ...args, '--data', data, '--out', folderWith());
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
  });

  test('without a CA says how to make one', async () => {
    const { code, err } = await run('ca', 'issue', 'a.test', '--data', folderWith());
    expect([code, err.includes('make one with: testudo ca init')]).toEqual([1, true]);
  });
});

describe('testudo ca show', () => {
  test('shows the CA, and files, to people and to scripts', async () => {
    const data = folderWith();
    await run('ca', 'init', '--name', 'My CA', '--data', data);
    const { out } = await run('ca', 'show', '--data', data);
    const ca = new X509Certificate(readFileSync(join(data, 'ca.pem')));
    expect(out).toMatch(/subject +CN=My CA/);
    expect(out).toContain(ca.fingerprint256);
    const json = JSON.parse((await run('ca', 'show', join(data, 'ca.pem'), '--json')).out);
    expect(json.certificates).toMatchObject([{ subject: 'CN=My CA', isCa: true, key: 'EC P-256' }]);
    expect(Date.parse(json.certificates[0].notAfter)).toBe(Date.parse(ca.validTo));
  });

  test('says what is wrong with a file', async () => {
    const folder = folderWith({ 'x.pem': 'x' });
    expect((await run('ca', 'show', join(folder, 'none.pem'))).err).toContain(
      'none.pem: cannot read it: there is no such file',
    );
    expect((await run('ca', 'show', join(folder, 'x.pem'))).err).toContain(
      'x.pem: neither a certificate, request, CRL, key nor PKCS#12 file',
    );
    expect((await run('ca', 'show', '--data', folder)).err).toContain(`there is no CA in ${folder}`);
  });
});
