import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBase64 } from '@testudo/codec';
import { encodeEchConfigList, parseEchConfigList, parseEchKeys } from '@testudo/tls';
import { afterAll, describe, expect, test } from 'vitest';
import { main } from '../cli.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { testIo } from '../testing/io.ts';

afterAll(removeFolders);

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = testIo();
  const code = await main(['ech', ...args], io);
  return { code, out: io.out(), err: io.err() };
}

describe('testudo ech keygen', () => {
  test('makes a key for its owner only, and says what goes into the DNS', async () => {
    const file = join(folderWith(), 'ech.pem');
    const { code, out } = await run('keygen', '--public-name', 'public.example', '--out', file);
    expect(code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [key] = parseEchKeys(readFileSync(file, 'utf8'));
    const base64 = toBase64(encodeEchConfigList([key!.config]));
    expect(out).toContain(`  ${base64}\n`);
    expect(out).toContain(`  ech=${base64}\n`);
    expect(out).not.toContain(toBase64(key!.privateKey).slice(0, 20));
    expect(readFileSync(file, 'utf8')).toContain('-----BEGIN ECHCONFIG-----');
  });

  test('takes kind, number and longest name', async () => {
    const file = join(folderWith(), 'ech.pem');
    const more = ['--kem', 'secp256r1', '--config-id', '77', '--max-name-length', '64'];
    const { out } = await run('keygen', '--public-name', 'p.example', '--out', file, ...more, '--json');
    const result = JSON.parse(out) as { echConfigList: string; dns: string; configs: object[] };
    expect(result).toMatchObject({
      file,
      dns: `ech=${result.echConfigList}`,
      configs: [{ configId: 77, publicName: 'p.example', kem: 'P-256', maximumNameLength: 64 }],
    });
    const [parsed] = parseEchConfigList(Buffer.from(result.echConfigList, 'base64'));
    expect(parsed).toMatchObject({ configId: 77, kem: 0x0010, maximumNameLength: 64 });
  });

  test('never overwrites a file', async () => {
    const file = join(folderWith(), 'ech.pem');
    writeFileSync(file, 'mine');
    const { code, err, out } = await run('keygen', '--public-name', 'p.example', '--out', file);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('already exists and is never overwritten');
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test.each([
    ['no name', [], 'required option'],
    ['an address', ['--public-name', '192.0.2.1'], 'is not a host name'],
    ['no host name', ['--public-name', 'a b'], 'is not a host name'],
    ['another kind of key', ['--public-name', 'a.example', '--kem', 'rsa'], 'Allowed choices'],
    ['a number over 255', ['--public-name', 'a.example', '--config-id', '256'], 'from 0 to 255'],
    ['no number', ['--public-name', 'a.example', '--max-name-length', 'x'], 'from 0 to 255'],
  ])('with %s says so, and writes nothing', async (_what, args, message) => {
    const file = join(folderWith(), 'ech.pem');
    const { code, err } = await run('keygen', ...args, '--out', file);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(() => statSync(file)).toThrow();
  });

  test('in a folder that is not there says so', async () => {
    const file = join(folderWith(), 'missing', 'ech.pem');
    const { code, err } = await run('keygen', '--public-name', 'a.example', '--out', file);
    expect(code).toBe(1);
    expect(err).toContain('no such file or directory');
  });
});

describe('testudo ech show', () => {
  /** Of a public test server. */
  const LIST =
    'AEn+DQBFKwAgACABWIHUGj4u+PIggYXcR5JF0gYk3dCRioBW8uJq9H4mKAAIAAEAAQABAANAEnB1YmxpYy50bHMtZWNoLmRldgAA';

  test.each([LIST, `ech=${LIST}`, `"${LIST}"`, `ech="${LIST}"`])(
    'shows a list from the DNS: %s',
    async (text) => {
      const { code, out } = await run('show', text);
      expect(code).toBe(0);
      expect(out).toContain('Key 43 for names behind public.tls-ech.dev');
      expect(out).toMatch(
        /X25519[\s\S]*HKDF-SHA256 AES-128-GCM, HKDF-SHA256 ChaCha20-Poly1305[\s\S]*64 bytes/,
      );
    },
  );

  test('shows a file, but not its private key', async () => {
    const file = join(folderWith(), 'ech.pem');
    await run('keygen', '--public-name', 'p.example', '--out', file);
    const [key] = parseEchKeys(readFileSync(file, 'utf8'));
    const { code, out } = await run('show', file, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      configs: [{ publicName: 'p.example', kem: 'X25519', problem: null }],
    });
    expect(out).not.toContain(Buffer.from(key!.privateKey).toString('hex'));
  });

  test('shows what must not be used, and nothing that a terminal would obey', async () => {
    const list = Buffer.from(LIST, 'base64');
    list.set([0x1b, 0x5b, 0x33], list.indexOf('public'));
    const { code, out } = await run('show', list.toString('base64'));
    expect(code).toBe(0);
    expect(out).toContain('must not be used');
    expect(out).not.toContain('\u001b');
  });

  test('says when there is no configuration of this version', async () => {
    const { code, out } = await run('show', Buffer.from([0, 6, 0xfe, 0x0a, 0, 2, 1, 2]).toString('base64'));
    expect(code).toBe(0);
    expect(out).toContain('No configuration of version 0xfe0d');
  });

  test.each([
    ['what is neither base64 nor a file', 'no-such.pem', 'neither base64 nor a file'],
    ['base64 of something else', Buffer.from('something else').toString('base64'), 'no ECHConfigList'],
    [
      'a list that ends early',
      Buffer.from(LIST, 'base64').subarray(0, 40).toString('base64'),
      'no ECHConfigList',
    ],
  ])('refuses %s', async (_what, text, message) => {
    const { code, err } = await run('show', text);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('refuses a file without a configuration', async () => {
    const file = join(folderWith(), 'other.pem');
    writeFileSync(file, 'nothing here');
    const { code, err } = await run('show', file);
    expect([code, err]).toEqual([2, `testudo: ${file}: there is no ECHCONFIG in this file\n`]);
  });
});
