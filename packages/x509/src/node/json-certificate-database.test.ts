import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serialKey } from '../authority/database.ts';
import { ManagedAuthority } from '../authority/managed-authority.ts';
import { createCertificateAuthority } from '../authority.ts';
import { JsonCertificateDatabase } from './json-certificate-database.ts';

const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'CA' });
const publicKey = authority.privateKey.publicKey;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'database-'));
  path = join(folder, 'ca', 'database.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const open = async (): Promise<ManagedAuthority> =>
  new ManagedAuthority(authority, await JsonCertificateDatabase.open(path));

test('what happened is there after it is opened again', async () => {
  const managed = await open();
  const request = { names: ['example.com'], purpose: 'server', publicKey } as const;
  const [good, bad, held] = await Promise.all([1, 2, 3].map(() => managed.issue(request)));
  const at = new Date('2026-01-02T03:04:05Z');
  await managed.revoke(bad!.certificate.serialNumber, { reason: 'keyCompromise', at, invalidityDate: at });
  await managed.revoke(held!.certificate.serialNumber, { reason: 'certificateHold' });
  await managed.release(held!.certificate.serialNumber, at);
  await managed.crl();
  await managed.crl({ delta: true });

  const again = (await open()).database;
  const record = (issued: typeof good) => again.get(serialKey(issued!.certificate.serialNumber));
  expect(await again.crlState()).toEqual(await managed.database.crlState());
  expect((await again.crlState()).number).toBe(2n);
  expect((await record(good))?.certificate.der).toEqual(good!.certificate.der);
  expect((await record(good))?.revocation).toBeUndefined();
  expect((await record(bad))?.revocation).toEqual({ at, reason: 'keyCompromise', invalidityDate: at });
  expect((await record(held))?.releasedAt).toEqual(at);
});

test('the file is for its owner only, and nothing is left beside it', async () => {
  const managed = await open();
  await managed.issue({ names: ['example.com'], purpose: 'server', publicKey });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(`${path}.new`)).toBe(false);
  expect(readFileSync(path, 'utf8')).toContain('CN=example.com');
});

test('many changes at once all arrive', async () => {
  const managed = await open();
  const request = { names: ['example.com'], purpose: 'server', publicKey } as const;
  await Promise.all(Array.from({ length: 20 }, () => managed.issue(request)));
  let count = 0;
  for await (const _ of (await open()).database.all()) count++;
  expect(count).toBe(20);
});

test('a change that cannot be written did not happen', async () => {
  const managed = await open();
  const request = { names: ['example.com'], purpose: 'server', publicKey } as const;
  const { certificate } = await managed.issue(request);
  // A folder in the place of the file that is written first: not even root writes that.
  mkdirSync(`${path}.new`);
  await expect(managed.revoke(certificate.serialNumber)).rejects.toThrow();
  rmdirSync(`${path}.new`);
  expect(await managed.revoke(certificate.serialNumber, { reason: 'superseded' })).toBeDefined();
  const record = await managed.database.get(serialKey(certificate.serialNumber));
  expect(record?.revocation?.reason).toBe('superseded');
});

test.each([
  ['no JSON', '{'],
  ['of a later version', '{"version":2,"crl":{"number":"0"},"certificates":[]}'],
  ['without a state', '{"version":1,"certificates":[]}'],
  [
    'with a certificate that is none',
    '{"version":1,"crl":{"number":"0"},"certificates":[{"certificate":"AAAA"}]}',
  ],
  ['with a number that is none', '{"version":1,"crl":{"number":"x"},"certificates":[]}'],
])('a file that is %s is refused by its name', async (_, text) => {
  path = join(folder, 'database.json');
  writeFileSync(path, text);
  await expect(open()).rejects.toThrow(/database\.json is not the database of a CA/);
});
