import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createSelfSignedCertificate, parsePrivateKey } from '@testudo/x509';
import { afterAll, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { AcmeStore } from './store.ts';

afterAll(removeFolders);

const DIRECTORY = new URL('https://ca.test/directory');

async function install(store: AcmeStore, ...names: string[]): Promise<string> {
  const own = store.certificate(names);
  const keyPem = await own.nextKey('p256');
  const privateKey = parsePrivateKey(keyPem, nodeCrypto);
  const { certificate } = createSelfSignedCertificate({ provider: nodeCrypto, names, privateKey });
  own.install(certificateToPem(certificate), keyPem);
  return own.file;
}

describe('what is kept of the work with a CA', () => {
  test('is apart for each directory', () => {
    const data = folderWith();
    const store = new AcmeStore(data, DIRECTORY);
    const other = new AcmeStore(data, new URL('https://ca.test/staging'));
    store.account = { url: 'https://ca.test/account/1' };
    expect(other.account).toEqual({});
    expect(store.accountKey()).not.toBe(other.accountKey());
    expect(new AcmeStore(data, DIRECTORY).accountKey()).toBe(store.accountKey());
    expect(new AcmeStore(data, DIRECTORY).account.url).toBe('https://ca.test/account/1');
  });

  test('stays in its folder, whatever the names are', () => {
    const store = new AcmeStore(folderWith(), DIRECTORY);
    const { file } = store.certificate(['../../etc.test']);
    expect(file.startsWith(`${store.folder}/certificates/`)).toBe(true);
    expect(file.slice(store.folder.length + '/certificates/'.length)).not.toContain('/');
  });

  test('is one file for key and chain, private, and nothing else is left', async () => {
    const store = new AcmeStore(folderWith(), DIRECTORY);
    const file = await install(store, 'a.test');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(
      /^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n/,
    );
    expect(readdirSync(join(store.folder, 'certificates'))).toEqual(['a.test.pem']);
    // Also where an older one was open to others.
    chmodSync(file, 0o644);
    await install(store, 'a.test');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('keeps the key of an order until its certificate is there, then takes another', async () => {
    const store = new AcmeStore(folderWith(), DIRECTORY);
    const own = store.certificate(['a.test']);
    const first = await own.nextKey('p256');
    expect(await store.certificate(['a.test']).nextKey('p256')).toBe(first);
    await install(store, 'a.test');
    expect(await own.nextKey('p256')).not.toBe(first);
  });

  test.each([
    ['p256', { type: 'ec', curve: 'secp256r1' }],
    ['p384', { type: 'ec', curve: 'secp384r1' }],
    ['rsa2048', { type: 'rsa', bits: 2048 }],
    ['rsa3072', { type: 'rsa', bits: 3072 }],
  ] as const)('has keys of the type that is wanted: %s', async (type, kind) => {
    const pem = await new AcmeStore(folderWith(), DIRECTORY).certificate(['a.test']).nextKey(type);
    expect(parsePrivateKey(pem, nodeCrypto).kind).toMatchObject(kind);
  });

  test('is another file for other names, whatever their order', () => {
    const store = new AcmeStore(folderWith(), DIRECTORY);
    const file = (...names: string[]): string => store.certificate(names).file;
    expect(file('a.test', 'b.test', 'c.test')).toBe(file('a.test', 'c.test', 'b.test'));
    expect(new Set([file('a.test'), file('a.test', 'b.test'), file('a.test', 'c.test')]).size).toBe(3);
  });

  test('is worked on by one process at a time, and what the others noted is seen', async () => {
    const data = folderWith();
    const [one, other] = [0, 1].map(() => new AcmeStore(data, DIRECTORY).certificate(['a.test']));
    let finish: () => void = () => undefined;
    const busy = one!.exclusively(() => new Promise<void>((resolve) => (finish = resolve)));
    expect(other!.state).toEqual({});
    const waiting = other!.exclusively(async () => other!.state);
    one!.state = { failures: 7 };
    finish();
    await busy;
    expect(await waiting).toEqual({ failures: 7 });
    await expect(one!.exclusively(() => Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(existsSync(`${one!.file}.lock`)).toBe(false);
  });

  test('may be damaged: state is forgotten, a key is named', () => {
    const store = new AcmeStore(folderWith(), DIRECTORY);
    store.certificate(['a.test']).state = { failures: 3 };
    for (const text of ['', '{', 'null', '7', '"a"']) {
      writeFileSync(join(store.folder, 'certificates', 'a.test.json'), text);
      expect(store.certificate(['a.test']).state).toEqual({});
    }
    store.accountKey();
    writeFileSync(join(store.folder, 'account-key.pem'), 'no key');
    expect(() => store.accountKey()).toThrow(
      /account-key\.pem: cannot use the private key: .*Move it away for a new one\.$/,
    );
  });

  test('has a substitute: a certificate that fits one of the names', async () => {
    const store = new AcmeStore(folderWith(), DIRECTORY);
    expect(store.certificate(['a.test']).loadSubstitute()).toBeUndefined();
    const file = await install(store, 'a.test');
    writeFileSync(join(store.folder, 'certificates', '0.pem'), 'damaged');
    expect(store.certificate(['b.test', 'a.test']).loadSubstitute()?.files.certificate).toBe(file);
    expect(store.certificate(['b.test']).loadSubstitute()).toBeUndefined();
    expect(existsSync(store.certificate(['b.test']).file)).toBe(false);
  });
});
