import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import {
  CertificateError,
  certificateToPem,
  createCertificateAuthority,
  createPkcs12,
  type IssuedCertificate,
  type Pkcs12Content,
  parsePkcs12,
  pkcs12Identity,
  privateKeyToPem,
} from '@testudo/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { cpuTime } from '../support/cpu-time.ts';
import { withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

const provider = nodeCrypto;
const PASSWORD = 'geheim \u00fc\u20ac';
/** What programs take on a command line in any locale. */
const ASCII = 'correct horse';

const root = createCertificateAuthority({ provider, commonName: 'Root' });
const middle = root.issueAuthority({ commonName: 'Middle' });
const issued = (key: KeySpec): IssuedCertificate =>
  middle.issue({ names: ['example.com'], purpose: 'server', key });
const server = issued({ type: 'ec', curve: 'secp256r1' });
const chain = [...server.certificateChain, root.certificate];

function file(options: Partial<Pkcs12Content> = {}): Uint8Array {
  return createPkcs12({
    provider,
    password: PASSWORD,
    privateKey: server.privateKey!,
    certificates: chain,
    iterations: 1000,
    ...options,
  });
}

const codeOf = (action: () => unknown): string => {
  try {
    action();
    return 'accepted';
  } catch (error) {
    return error instanceof CertificateError ? error.code : String(error);
  }
};

describe('a file of ours', () => {
  test.each<[string, Partial<Pkcs12Content>]>([
    ['modern', {}],
    ['legacy', { encryption: 'legacy' }],
    ['with PBMAC1', { mac: 'pbmac1' }],
    ['under an empty password', { password: '' }],
  ])('%s gives back what went in', (_, options) => {
    const password = options.password ?? PASSWORD;
    const contents = parsePkcs12(file(options), { provider, password });
    expect(contents.keys.map(({ friendlyName }) => friendlyName)).toEqual(['example.com']);
    const identity = pkcs12Identity(contents);
    expect(identity.privateKey.exportPkcs8()).toEqual(server.privateKey!.exportPkcs8());
    expect(identity.certificateChain.map(({ der }) => der)).toEqual(
      server.certificateChain.map(({ der }) => der),
    );
    expect(contents.certificates).toHaveLength(3);
  });

  test('of certificates only is read, and has no identity', () => {
    const bytes = file({ privateKey: undefined });
    const contents = parsePkcs12(bytes, { provider, password: PASSWORD });
    expect(contents.keys).toEqual([]);
    expect(contents.certificates).toHaveLength(3);
    expect(codeOf(() => pkcs12Identity(contents))).toBe('malformed');
  });

  test('is read by the portable provider, where it needs no 3DES', () => {
    const options = { provider: portableCrypto, password: PASSWORD };
    expect(parsePkcs12(file(), options).keys).toHaveLength(1);
    expect(codeOf(() => parsePkcs12(file({ encryption: 'legacy' }), options))).toBe('unsupported-algorithm');
  });

  test('with another password, or without any, is refused as such', () => {
    for (const options of [{}, { encryption: 'legacy' }, { mac: 'pbmac1' }] as const)
      for (const password of ['', `${PASSWORD}x`, PASSWORD.toUpperCase()])
        expect(codeOf(() => parsePkcs12(file(options), { provider, password }))).toBe('wrong-password');
  });

  test('with any changed byte is never read as if nothing had happened', () => {
    const bytes = file();
    const limits = { steps: 20_000 };
    let accepted = 0;
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = bytes.slice();
      changed[at]! ^= 0x11;
      const code = codeOf(() => parsePkcs12(changed, { provider, password: PASSWORD, limits }));
      expect(['malformed', 'wrong-password', 'unsupported-algorithm', 'budget-exceeded']).toContain(code);
      if (code === 'accepted') accepted++;
    }
    expect(accepted).toBe(0);
  });

  test('that would take hours to try is refused at once', () => {
    const bytes = file({ iterations: 3_000 });
    const options = { provider, password: PASSWORD };
    const took = cpuTime(() =>
      expect(codeOf(() => parsePkcs12(bytes, { ...options, limits: { steps: 5_000 } }))).toBe(
        'budget-exceeded',
      ),
    );
    expect(took).toBeLessThan(2000);
  });
});

const suite = withPrograms('openssl');
suite('PKCS#12 and openssl', () => {
  const scratch = useScratch('pkcs12');
  beforeAll(() => {
    scratch.write('key.pem', privateKeyToPem(server.privateKey!));
    scratch.write('chain.pem', certificateToPem(...chain));
  });

  test.each<[string, string[]]>([
    ['its default', []],
    ['AES-128', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha512']],
    ['3DES', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['certificates in the clear', ['-certpbe', 'NONE']],
    ['many iterations', ['-iter', '20000']],
    ['one iteration', ['-iter', '1', '-maciter']],
  ])('a file of its making is read: %s', (_, options) => {
    scratch.run(
      'openssl',
      ...['pkcs12', '-export', '-inkey', 'key.pem', '-in', 'chain.pem', '-name', 'mine'],
      ...['-out', 'theirs.p12', '-passout', `pass:${ASCII}`, ...options],
    );
    const contents = parsePkcs12(scratch.bytes('theirs.p12'), { provider, password: ASCII });
    expect(contents.keys[0]!.friendlyName).toBe('mine');
    const identity = pkcs12Identity(contents);
    expect(identity.privateKey.exportPkcs8()).toEqual(server.privateKey!.exportPkcs8());
    expect(identity.certificateChain[0]!.der).toEqual(server.certificate.der);
  });

  test('a file under a password beyond ASCII is read', () => {
    scratch.run(
      'openssl',
      ...['pkcs12', '-export', '-inkey', 'key.pem', '-in', 'chain.pem', '-out', 'utf8.p12'],
      ...['-passout', `pass:${PASSWORD}`],
    );
    expect(parsePkcs12(scratch.bytes('utf8.p12'), { provider, password: PASSWORD }).keys).toHaveLength(1);
  });

  test('a file with RC2 is refused by name', () => {
    const { status, said } = scratch.attempt(
      'openssl',
      ...['pkcs12', '-export', '-legacy', '-inkey', 'key.pem', '-in', 'chain.pem'],
      ...['-certpbe', 'PBE-SHA1-RC2-40', '-out', 'rc2.p12', '-passout', 'pass:x'],
    );
    // Only where openssl has its legacy provider.
    if (status !== 0) return expect(said).toMatch(/legacy|provider|unsupported/i);
    expect(() => parsePkcs12(scratch.bytes('rc2.p12'), { provider, password: 'x' })).toThrow(/RC2-40/);
  });

  test('a file without a MAC is read only when that is asked for', () => {
    scratch.run(
      'openssl',
      ...['pkcs12', '-export', '-inkey', 'key.pem', '-in', 'chain.pem', '-nomac'],
      ...['-out', 'nomac.p12', '-passout', `pass:${ASCII}`],
    );
    const bytes = scratch.bytes('nomac.p12');
    expect(codeOf(() => parsePkcs12(bytes, { provider, password: ASCII }))).toBe('malformed');
    expect(parsePkcs12(bytes, { provider, password: ASCII, requiresMac: false }).keys).toHaveLength(1);
    expect(codeOf(() => parsePkcs12(bytes, { provider, password: 'no', requiresMac: false }))).toBe(
      'wrong-password',
    );
  });

  test.each<[string, KeySpec, Partial<Pkcs12Content>]>([
    ['EC, modern', { type: 'ec', curve: 'secp384r1' }, {}],
    ['RSA, modern', { type: 'rsa', bits: 2048 }, {}],
    ['Ed25519, modern', { type: 'ed25519' }, {}],
    ['EC, legacy', { type: 'ec', curve: 'secp256r1' }, { encryption: 'legacy' }],
    ['under an empty password', { type: 'ec', curve: 'secp256r1' }, { password: '' }],
  ])('reads ours: %s', (_, key, options) => {
    const other = issued(key);
    const password = options.password ?? ASCII;
    const content = { privateKey: other.privateKey!, certificates: other.certificateChain, password };
    scratch.write('ours.p12', file({ ...content, ...options }));
    const text = scratch.run('openssl', 'pkcs12', '-in', 'ours.p12', '-nodes', '-passin', `pass:${password}`);
    expect(text).toContain('friendlyName: example.com');
    scratch.write('all.pem', text);
    expect(scratch.run('openssl', 'pkey', '-in', 'all.pem', '-pubout')).toBe(
      scratch.run('openssl', 'x509', '-in', 'all.pem', '-noout', '-pubkey'),
    );
    expect(
      scratch.attempt('openssl', 'pkcs12', '-in', 'ours.p12', '-noout', '-passin', 'pass:no').status,
    ).not.toBe(0);
  });
});

const gnutls = withPrograms('certtool', 'openssl');
gnutls('PKCS#12 and GnuTLS', () => {
  const scratch = useScratch('pkcs12-gnutls');

  test('each reads what the other wrote', () => {
    scratch.write('key.pem', privateKeyToPem(server.privateKey!));
    scratch.write('chain.pem', certificateToPem(...chain));
    scratch.run(
      'certtool',
      ...['--to-p12', '--load-privkey', 'key.pem', '--load-certificate', 'chain.pem', '--p12-name', 'mine'],
      ...['--password', ASCII, '--pkcs-cipher', 'aes-256', '--outder', '--outfile', 'theirs.p12'],
    );
    const identity = pkcs12Identity(parsePkcs12(scratch.bytes('theirs.p12'), { provider, password: ASCII }));
    expect(identity.privateKey.exportPkcs8()).toEqual(server.privateKey!.exportPkcs8());

    scratch.write('ours.p12', file({ password: ASCII }));
    const text = scratch.run(
      'certtool',
      '--p12-info',
      '--inder',
      '--infile',
      'ours.p12',
      '--password',
      ASCII,
    );
    expect(text).toContain('BEGIN CERTIFICATE');
    expect(text).toMatch(/BEGIN (ENCRYPTED |EC )?PRIVATE KEY/);
  });
});

const nss = withPrograms('pk12util', 'certutil');
nss('PKCS#12 and NSS, which writes BER', () => {
  const scratch = useScratch('pkcs12-nss');

  test('each reads what the other wrote', () => {
    scratch.run('certutil', '-N', '-d', 'sql:.', '--empty-password');
    scratch.write('ours.p12', file({ password: ASCII }));
    scratch.run('pk12util', '-i', 'ours.p12', '-d', 'sql:.', '-W', ASCII);
    scratch.run('pk12util', '-o', 'theirs.p12', '-n', 'example.com', '-d', 'sql:.', '-W', ASCII);
    const bytes = scratch.bytes('theirs.p12');
    expect(bytes[1]).toBe(0x80);
    const identity = pkcs12Identity(parsePkcs12(bytes, { provider, password: ASCII }));
    expect(identity.privateKey.publicKey.spki).toEqual(server.certificate.spki);
    expect(identity.certificateChain[0]!.der).toEqual(server.certificate.der);
    expect(codeOf(() => parsePkcs12(bytes, { provider, password: 'no' }))).toBe('wrong-password');
  });
});
