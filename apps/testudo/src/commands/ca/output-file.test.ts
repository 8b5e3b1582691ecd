import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../cli.ts';
import { folderWith, removeFolders } from '../../testing/folder.ts';
import { testIo } from '../../testing/io.ts';

afterAll(removeFolders);

let data: string;
let request: string;
beforeAll(async () => {
  data = folderWith();
  expect(await main(['ca', 'init', '--data', data], testIo())).toBe(0);
  request = join(folderWith(), 'a.test.csr');
  const subject = ['-subj', '/CN=a.test', '-addext', 'subjectAltName=DNS:a.test'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  execFileSync('openssl', ['req', '-new', ...key, ...subject, '-out', request], { stdio: 'pipe' });
});

describe.each(['issue', 'sign'])('testudo ca %s --out', (verb) => {
  test.each([
    ['new', 'new/a.test'],
    ['new/deeper/', 'new/deeper/a.test'],
    ['there', 'there/a.test'],
    ['there.pem', 'there.pem/a.test'],
    ['www.pem', 'www'],
    ['new/www.crt', 'new/www'],
    ['a.test', 'a.test/a.test'],
  ])('%s is %s.…', async (out, expected) => {
    const folder = folderWith();
    for (const name of ['there', 'there.pem']) mkdirSync(join(folder, name));
    const what = verb === 'issue' ? 'a.test' : request;
    const p12 = verb === 'issue' ? ['--p12', '--password-file', join(folderWith({ p: 'secret' }), 'p')] : [];
    const io = testIo();
    const place = `${join(folder, out)}${out.endsWith('/') ? '/' : ''}`;
    const code = await main(['ca', verb, what, '--out', place, ...p12, '--data', data, '--json'], io);
    expect([code, io.err()]).toEqual([0, '']);
    const { files } = JSON.parse(io.out());
    const ending = out.endsWith('.crt') ? '.crt' : '.pem';
    expect(files.certificate).toBe(join(folder, `${expected}${ending}`));
    if (verb === 'issue') {
      expect(files.key).toBe(join(folder, `${expected}-key.pem`));
      expect(files.p12).toBe(join(folder, `${expected}.p12`));
    }
    for (const file of Object.values(files) as string[]) expect(existsSync(file)).toBe(true);
    expect(await main(['ca', verb, what, '--out', place, ...p12, '--data', data], testIo())).toBe(1);
    expect(readdirSync(join(files.certificate, '..')).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
