import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, parseCertificates, parsePrivateKey } from '@testudo/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { chooseByName } from './certificate-choice.ts';
import { loadIdentity, namesIn } from './certificate-files.ts';
import { dataFolder } from './data-folder.ts';
import { authorityFiles, fileNameOf, LocalAuthority, localName } from './local-authority.ts';
import { writeNewPrivateFile, writePrivateFile, writePublicFile } from './private-files.ts';

afterAll(removeFolders);

const mode = (file: string): number => statSync(file).mode & 0o777;

describe('a private file', () => {
  test('is for its owner only, whatever the umask', () => {
    const file = join(folderWith(), 'key');
    const before = process.umask(0);
    try {
      writeNewPrivateFile(file, 'secret');
    } finally {
      process.umask(before);
    }
    expect(mode(file)).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe('secret');
  });

  test('is never overwritten', () => {
    const file = join(folderWith({ key: 'old' }), 'key');
    expect(() => writeNewPrivateFile(file, 'new')).toThrow(`${file} already exists and is never overwritten`);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  test('that may be replaced is for its owner only afterwards', () => {
    const file = join(folderWith({ session: 'old' }), 'session');
    chmodSync(file, 0o644);
    writePrivateFile(file, 'new');
    expect([mode(file), readFileSync(file, 'utf8')]).toEqual([0o600, 'new']);
  });

  test('leaves nothing beside it, and takes away what was left by who was ended meanwhile', () => {
    const folder = folderWith({
      'key.0123456789abcdef.tmp': 'half a k',
      'key.fedcba9876543210.tmp': 'being written',
      'key.tmp': 'mine',
      'other.0123456789abcdef.tmp': 'mine',
    });
    const old = new Date(Date.now() - 3_600_000);
    for (const name of ['key.0123456789abcdef.tmp', 'key.tmp', 'other.0123456789abcdef.tmp'])
      utimesSync(join(folder, name), old, old);
    writeNewPrivateFile(join(folder, 'key'), 'secret');
    expect(readdirSync(folder).toSorted()).toEqual([
      'key',
      'key.fedcba9876543210.tmp',
      'key.tmp',
      'other.0123456789abcdef.tmp',
    ]);
  });

  test('in a folder that is not there says so', () => {
    expect(() => writeNewPrivateFile('/nowhere/at/all/key', '')).toThrow(
      'cannot write /nowhere/at/all/key: there is no such file or directory',
    );
  });
});

test('a public file replaces the old one as a whole', () => {
  const file = join(folderWith({ cert: 'old' }), 'cert');
  writePublicFile(file, 'new');
  expect([mode(file), readFileSync(file, 'utf8')]).toEqual([0o644, 'new']);
});

describe('the data folder is', () => {
  const start = {
    npm_lifecycle_event: 'start',
    npm_package_name: 'testudo-workspace',
    npm_package_json: '/src/testudo/package.json',
  };
  test.each([
    ['the option, before all else', '/o', { TESTUDO_DATA: '/e', ...start }, '/o'],
    ['TESTUDO_DATA', undefined, { TESTUDO_DATA: '/e', ...start }, '/e'],
    ['data in the checkout, through npm start', undefined, start, '/src/testudo/data'],
    [
      'not in another package that is started so',
      undefined,
      { ...start, npm_package_name: 'x', HOME: '/h' },
      '/h/.local/share/testudo',
    ],
    ['in XDG_DATA_HOME', undefined, { XDG_DATA_HOME: '/x', HOME: '/h' }, '/x/testudo'],
    [
      'not in a relative XDG_DATA_HOME',
      undefined,
      { XDG_DATA_HOME: 'x', HOME: '/h' },
      '/h/.local/share/testudo',
    ],
    ['in the home folder', undefined, { HOME: '/h', TESTUDO_DATA: '' }, '/h/.local/share/testudo'],
  ])('%s', (_, option, env, folder) => expect(dataFolder(env, option)).toBe(folder));

  test('what a configuration says, before the defaults', () => {
    expect(dataFolder(start, undefined, '/c')).toBe('/c');
    expect(dataFolder({ TESTUDO_DATA: '/e' }, undefined, '/c')).toBe('/e');
  });
});

describe('the local CA', () => {
  test('is made once, with a key for its owner only', () => {
    const folder = join(folderWith(), 'new', 'data');
    expect(LocalAuthority.openOrCreate(folder).isNew).toBe(true);
    const { certificate, key } = authorityFiles(folder);
    const before = [readFileSync(certificate), readFileSync(key)];
    expect(mode(key)).toBe(0o600);
    expect(mode(folder)).toBe(0o700);
    expect(LocalAuthority.openOrCreate(folder).isNew).toBe(false);
    expect([readFileSync(certificate), readFileSync(key)]).toEqual(before);
  });

  test('has a name that no other one has, and that says where and when it was made', () => {
    const names = Array.from({ length: 20 }, () => localName('CA'));
    expect(new Set(names).size).toBe(20);
    const today = new Date().toISOString().slice(0, 10);
    for (const name of names)
      expect(name).toMatch(new RegExp(`^Testudo local CA \\(.+ ${today} [0-9a-f]{6}\\)$`));
    expect(localName('intermediate').length).toBeLessThanOrEqual(64);
    const [one, other] = [LocalAuthority.create(folderWith()), LocalAuthority.create(folderWith())];
    const subject = ({ authority }: LocalAuthority): string => authority.certificate.subject.shown;
    expect(subject(one)).not.toBe(subject(other));
  });

  test('is not made over a key that is there', () => {
    const folder = folderWith({ 'ca-key.pem': 'a key' });
    expect(() => LocalAuthority.create(folder)).toThrow('never overwritten');
    expect(readFileSync(join(folder, 'ca-key.pem'), 'utf8')).toBe('a key');
  });

  test('that is not whole is said to be so', () => {
    const folder = folderWith();
    LocalAuthority.create(folder);
    rmSync(join(folder, 'ca-key.pem'));
    expect(() => LocalAuthority.openOrCreate(folder)).toThrow(/is incomplete: .*ca-key\.pem is missing/);
    expect(() => LocalAuthority.create(folder)).toThrow('its key is missing');
  });

  test('whose key is another one is refused', () => {
    const [a, b] = [folderWith(), folderWith()];
    LocalAuthority.create(a);
    LocalAuthority.create(b);
    writeFileSync(join(a, 'ca-key.pem'), readFileSync(join(b, 'ca-key.pem')));
    expect(() => LocalAuthority.open(a)).toThrow(/cannot use the CA in .*: the private key does not belong/);
  });

  test('that does not exist cannot be opened', () => {
    expect(() => LocalAuthority.open(folderWith())).toThrow('make one with: testudo ca init');
  });

  test('keeps a certificate, and has one for each set of names', () => {
    const local = LocalAuthority.create(folderWith());
    const files = local.certificateFor(['localhost', '127.0.0.1']);
    const first = readFileSync(files.certificate, 'utf8');
    const other = local.certificateFor(['localhost', '*.wild.test']);
    expect(namesIn(parseCertificates(readFileSync(other.certificate))[0]!)).toEqual([
      'localhost',
      '*.wild.test',
    ]);
    expect(local.certificateFor(['localhost', '127.0.0.1'])).toEqual(files);
    expect(readFileSync(files.certificate, 'utf8')).toBe(first);
    expect(mode(files.key)).toBe(0o600);
  });

  test('issues anew, for the same key, what is about to expire', () => {
    const local = LocalAuthority.create(folderWith());
    const files = local.certificateFor(['localhost']);
    const key = readFileSync(files.key, 'utf8');
    const { publicKey } = parsePrivateKey(key, nodeCrypto);
    const ending = local.authority.issue({ purpose: 'server', names: ['localhost'], days: 3, publicKey });
    writeFileSync(files.certificate, certificateToPem(ending.certificate));
    local.certificateFor(['localhost']);
    const certificate = new X509Certificate(readFileSync(files.certificate));
    expect(Date.parse(certificate.validTo) - Date.now()).toBeGreaterThan(300 * 86_400_000);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(readFileSync(files.key, 'utf8')).toBe(key);
  });

  test('says so when a key that it keeps cannot be used', () => {
    const local = LocalAuthority.create(folderWith({ 'certificates/localhost-key.pem': 'no key' }));
    expect(() => local.certificateFor(['localhost'])).toThrow(
      /cannot use .*localhost-key\.pem: .*Move it away/,
    );
  });

  test('issues anew when the CA has been replaced', () => {
    const folder = folderWith();
    const before = LocalAuthority.create(folder, 'Same name').certificateFor(['localhost']);
    const old = readFileSync(before.certificate, 'utf8');
    for (const file of Object.values(authorityFiles(folder))) rmSync(file);
    LocalAuthority.create(folder, 'Same name').certificateFor(['localhost']);
    expect(readFileSync(before.certificate, 'utf8')).not.toBe(old);
  });

  test('says which names it cannot issue for', () => {
    const local = LocalAuthority.create(folderWith());
    expect(() => local.certificateFor(['not a name'])).toThrow('cannot issue a certificate for not a name');
  });
});

test.each([
  ['localhost', 'localhost'],
  ['*.example.test', '_wildcard.example.test'],
  ['::1', '__1'],
  ['../../etc/passwd', '__.._etc_passwd'],
  ['.hidden', '_hidden'],
])('the name %s makes no path but %s', (name, file) => {
  expect(fileNameOf(name)).toBe(file);
});

describe('a certificate with its key', () => {
  let folder: string;
  let good: { certificate: string; key: string };
  beforeAll(() => {
    folder = folderWith();
    good = LocalAuthority.create(folder).certificateFor(['localhost']);
  });

  test('is read', () => {
    const identity = loadIdentity(good);
    expect(namesIn(identity.chain[0]!)).toEqual(['localhost']);
  });

  test.each([
    [
      'a missing certificate',
      { certificate: 'none.pem' },
      /none\.pem: cannot read the certificate: there is no such file/,
    ],
    ['a missing key', { key: 'none.pem' }, /none\.pem: cannot read the private key: there is no such file/],
    [
      'a folder',
      { certificate: 'certificates' },
      /certificates: cannot read the certificate: it is a directory/,
    ],
    ['a text', { certificate: 'text.pem' }, /text\.pem: cannot use the certificate: no CERTIFICATE block/],
    [
      'a certificate in place of a key',
      { key: 'ca.pem' },
      /ca\.pem: cannot use the private key: no PRIVATE KEY block in the PEM text; it has CERTIFICATE/,
    ],
    [
      'the key of another',
      { key: 'ca-key.pem' },
      /ca-key\.pem: this key does not belong to the certificate in .*localhost\.pem: give the key it was issued for/,
    ],
  ])('refuses %s', (_, change, message) => {
    writeFileSync(join(folder, 'text.pem'), 'hello');
    const files = {
      ...good,
      ...Object.fromEntries(Object.entries(change).map(([k, v]) => [k, join(folder, v)])),
    };
    expect(() => loadIdentity(files)).toThrow(message);
  });

  test('refuses a key with a passphrase, and says how to take it off', () => {
    const encrypted = join(folder, 'encrypted.pem');
    try {
      execFileSync('openssl', ['pkcs8', '-topk8', '-in', good.key, '-out', encrypted, '-passout', 'pass:x'], {
        stdio: 'ignore',
      });
    } catch {
      writeFileSync(
        encrypted,
        '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n',
      );
    }
    expect(() => loadIdentity({ ...good, key: encrypted })).toThrow('decrypt it first: openssl pkey');
  });
});

describe('the certificates for a name', () => {
  const choice = chooseByName([
    { value: 'wild', names: ['*.example.test'], isDefault: false },
    { value: 'exact', names: ['www.example.test', 'EXAMPLE.test'], isDefault: false },
    { value: 'also exact', names: ['www.example.test.', 'WWW.example.test'], isDefault: false },
    { value: 'default', names: ['default.test'], isDefault: true },
    { value: 'other kind of default', names: ['x.test', 'Default.test'], isDefault: false },
  ]);
  const exact = ['exact', 'also exact', 'wild'];
  const defaults = ['default', 'other kind of default'];

  test.each([
    ['www.example.test', exact],
    ['WWW.Example.Test', exact],
    ['www.example.test.', exact],
    ['example.test', ['exact']],
    ['mail.example.test', ['wild']],
    ['a.b.example.test', defaults],
    ['.example.test', defaults],
    ['other.test', defaults],
    ['x.test', ['other kind of default']],
    ['*.example.test', ['wild']],
    [undefined, defaults],
  ])('%s: %j', (name, values) => expect(choice.for(name)).toEqual(values));

  test('are those of the first one when none is the default', () => {
    const plain = chooseByName([
      { value: 1, names: ['a'], isDefault: false },
      { value: 2, names: ['b'], isDefault: false },
    ]);
    expect([plain.for(undefined), plain.for('b'), plain.for('c')]).toEqual([[1], [2], [1]]);
    expect(plain.exactly('c')).toBeUndefined();
  });
});
