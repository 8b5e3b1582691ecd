import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { useScratch } from '../support/scratch.ts';
import { good, testudo, withBuild } from './program.ts';

// `testudo ca show`, of files that OpenSSL made.

withBuild('openssl')('testudo ca show', () => {
  const scratch = useScratch('ca-show');
  const openssl = (...args: string[]): string => scratch.run('openssl', ...args);
  const json = async (file: string, ...args: string[]) =>
    JSON.parse(await good(scratch, 'ca', 'show', file, '--json', ...args));
  const spkiOf = (key: string, ...args: string[]): string => {
    openssl('pkey', '-in', key, ...args, '-pubout', '-outform', 'DER', '-out', 'spki.der');
    return createHash('sha256').update(scratch.bytes('spki.der')).digest('hex');
  };

  beforeAll(() => {
    scratch.write(
      'extensions',
      `[ca]
basicConstraints=critical,CA:TRUE,pathlen:2
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
nameConstraints=critical,permitted;DNS:example.test,permitted;IP:192.0.2.0/255.255.255.0,excluded;email:evil.test
certificatePolicies=1.2.3.4
authorityInfoAccess=OCSP;URI:http://ocsp.test/,caIssuers;URI:http://ca.test/ca.cer
crlDistributionPoints=URI:http://ca.test/ca.crl
tlsfeature=status_request
1.2.3.4.5=DER:0500
`,
    );
    openssl('genpkey', '-algorithm', 'rsa', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'rsa.key');
    openssl('req', '-new', '-key', 'rsa.key', '-subj', '/O=Example/CN=The CA', '-out', 'ca.csr');
    openssl(
      ...['x509', '-req', '-in', 'ca.csr', '-signkey', 'rsa.key', '-out', 'ca.pem', '-days', '30'],
      ...['-extfile', 'extensions', '-extensions', 'ca'],
    );
    openssl('genpkey', '-algorithm', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-out', 'ec.key');
    openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed.key');
    scratch.write('password', 'secret\n');
    scratch.write('wrong', 'not it\n');
  });

  test('a certificate with all that it says', async () => {
    const out = await good(scratch, 'ca', 'show', 'ca.pem');
    for (const pattern of [
      /subject +CN=The CA,O=Example\n/,
      /key +RSA 2048 bits/,
      /key usage +keyCertSign, cRLSign/,
      // In one column.
      /\n {2}CAs below {2,}at most 2\n {2}only for {3,}/,
      /only for +DNS:example\.test, IP:192\.0\.2\.0\/24\n/,
      /never for +email:evil\.test\n/,
      /policies +1\.2\.3\.4\n/,
      /OCSP +http:\/\/ocsp\.test\/\n/,
      /CRL +http:\/\/ca\.test\/ca\.crl\n/,
      /issuer at +http:\/\/ca\.test\/ca\.cer\n/,
      /stapling +demanded/,
      /critical +basicConstraints, keyUsage, nameConstraints\n/,
    ])
      expect(out).toMatch(pattern);
    const id = /Subject Key Identifier:\s+([0-9A-F:]+)/.exec(
      openssl('x509', '-in', 'ca.pem', '-noout', '-text'),
    )![1]!;
    expect(out).toContain(id);
    const { items } = await json('ca.pem');
    expect(items[0].details.extensions).toContainEqual({
      name: '1.2.3.4.5',
      oid: '1.2.3.4.5',
      critical: false,
    });
  });

  test.each([
    ['rsa.key', 'RSA 2048 bits'],
    ['ec.key', 'EC P-384'],
    ['ed.key', 'Ed25519'],
  ])('what kind of key %s is, and nothing secret of it', async (file, kind) => {
    expect((await json(file)).items).toEqual([
      { kind: 'private-key', encrypted: false, key: kind, spkiSha256: spkiOf(file) },
    ]);
    const { out } = await testudo(scratch, ['ca', 'show', file]);
    expect(out).toContain('private key, not encrypted');
    for (const line of scratch.text(file).split('\n').slice(1, -2)) expect(out).not.toContain(line);
  });

  test.each([
    ['PKCS#8', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-in', 'ec.key']],
    ['PKCS#8, DER', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-in', 'ec.key', '-outform', 'DER']],
    ['the old format', ['ec', '-aes256', '-in', 'ec.key']],
  ])('an encrypted key, %s', async (_, args) => {
    openssl(...args, '-passout', 'pass:secret', '-out', 'encrypted');
    expect((await json('encrypted', '--password-file', 'password')).items).toMatchObject([
      { encrypted: true, key: 'EC P-384', spkiSha256: spkiOf('ec.key') },
    ]);
    const wrong = await testudo(scratch, ['ca', 'show', 'encrypted', '--password-file', 'wrong']);
    expect(wrong).toMatchObject({ code: 1, out: '' });
    const none = await testudo(scratch, ['ca', 'show', 'encrypted']);
    expect([none.code, none.err]).toEqual([
      2,
      'testudo: encrypted needs a password, and there is no terminal: give --password-file\n',
    ]);
  });

  test('PKCS#12, with its names', async () => {
    openssl(
      ...['pkcs12', '-export', '-in', 'ca.pem', '-inkey', 'rsa.key', '-name', 'friendly', '-out', 'a.p12'],
      ...['-passout', 'pass:secret'],
    );
    const { items } = await json('a.p12', '--password-file', 'password');
    expect(items).toMatchObject([
      {
        kind: 'pkcs12',
        keys: [{ name: 'friendly', key: 'RSA 2048 bits', spkiSha256: spkiOf('rsa.key') }],
        certificates: [{ subject: 'CN=The CA,O=Example' }],
      },
    ]);
    const wrong = await testudo(scratch, ['ca', 'show', 'a.p12', '--password-file', 'wrong']);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/^testudo: a\.p12: .*password.*\n$/)]);
  });

  test('a request, and a CRL', async () => {
    expect((await json('ca.csr')).items).toMatchObject([
      { kind: 'request', subject: 'CN=The CA,O=Example', proven: true, key: 'RSA 2048 bits' },
    ]);
    openssl('req', '-in', 'ca.csr', '-outform', 'DER', '-out', 'csr.der');
    expect((await json('csr.der')).items).toMatchObject([{ kind: 'request' }]);
    scratch.write('index.txt', 'R\t360101000000Z\t260102030405Z,keyCompromise\t0ABC\tunknown\t/CN=x\n');
    scratch.write('number', '2A\n');
    scratch.write(
      'ca.cnf',
      '[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ncrl_extensions=ext\n[ext]\nauthorityKeyIdentifier=keyid\n',
    );
    openssl(
      ...[
        'ca',
        '-gencrl',
        '-config',
        'ca.cnf',
        '-cert',
        'ca.pem',
        '-keyfile',
        'rsa.key',
        '-crldays',
        '9',
        '-out',
        'a.crl',
      ],
    );
    expect((await json('a.crl')).items).toMatchObject([
      {
        ...{ kind: 'crl', issuer: 'CN=The CA,O=Example', number: '42', count: 1 },
        revoked: [{ serialNumber: '0abc', since: '2026-01-02T03:04:05.000Z', reason: 'keyCompromise' }],
      },
    ]);
  });

  test('everything in one file, in its order, also what is broken', async () => {
    const broken = scratch.text('ca.pem').replace(/\n[^-\n]{64}\n/, '\n');
    scratch.write(
      'all.pem',
      [
        scratch.text('ca.pem'),
        scratch.text('ec.key'),
        broken,
        scratch.text('ca.csr'),
        openssl('dsaparam', '512'),
      ].join(''),
    );
    const { items } = await json('all.pem');
    expect(items.map(({ kind }: { kind: string }) => kind)).toEqual([
      ...['certificate', 'private-key', 'other', 'request', 'other'],
    ]);
    expect(items[2].problem).toMatch(/not a certificate/);
    const out = await good(scratch, 'ca', 'show', 'all.pem');
    expect(out).toContain('all.pem, 3 of 5: CERTIFICATE\n');
    expect(out).toContain('all.pem, 5 of 5: DSA PARAMETERS\n  not looked into');
  });

  describe('one clear line, and exit code 1, for', () => {
    test.each([
      ['text', 'hello\n', /neither a certificate, request, CRL, key nor PKCS#12 file/],
      ['nothing', '', /neither a certificate/],
      ['a PEM block that does not end', '-----BEGIN CERTIFICATE-----\nAAAA\n', /PEM|END/i],
      [
        'a single broken certificate',
        '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
        /not a certificate/,
      ],
      ['DER of something else', Uint8Array.of(0x30, 3, 2, 1, 5), /neither a certificate/],
    ])('%s', async (_, content, expected) => {
      scratch.write('odd', content);
      const { code, out, err } = await testudo(scratch, ['ca', 'show', 'odd']);
      expect([code, out, err]).toEqual([1, '', expect.stringMatching(expected)]);
      expect(err.match(/\n/g)).toHaveLength(1);
      expect(err).toMatch(/^testudo: odd: /);
    });

    test('a broken certificate in DER, without asking for a password', async () => {
      openssl('x509', '-in', 'ca.pem', '-outform', 'DER', '-out', 'ca.der');
      scratch.write('cut.der', scratch.bytes('ca.der').subarray(0, -1));
      const { code, err } = await testudo(scratch, ['ca', 'show', 'cut.der']);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^testudo: cut\.der: neither .*not a certificate.*\n$/),
      ]);
    });

    test('a folder', async () => {
      const { code, err } = await testudo(scratch, ['ca', 'show', '.']);
      expect([code, err]).toEqual([1, 'testudo: .: cannot read it: it is a directory\n']);
    });
  });
});
