import { encodePem } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  buildCrl,
  type Certificate,
  CertificateError,
  CertificateRevocationList,
  certificateToPem,
  createCertificateAuthority,
  crlChecker,
  HARD_FAIL,
  ManagedAuthority,
  MemoryCertificateDatabase,
  parseCertificates,
  type RevocationStatus,
  TrustStore,
  verifyCertificate,
} from '@testudo/x509';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

const provider = nodeCrypto;
const DAY = 86_400_000;

/** The status of `path[0]` by these lists. */
function statusOf(
  path: readonly Certificate[],
  lists: readonly CertificateRevocationList[],
  options: { at?: Date; signers?: readonly Certificate[] } = {},
): RevocationStatus {
  const checker = crlChecker({ provider, lists, policy: HARD_FAIL, signers: options.signers });
  const at = options.at ?? new Date();
  return checker.check({ certificate: path[0]!, issuer: path[1]!, at, path, index: 0 });
}

const suite = withPrograms('openssl');
suite('CRLs by openssl', () => {
  const scratch = useScratch('crl');
  const certificate = (name: string): Certificate => parseCertificates(scratch.text(`${name}.pem`))[0]!;
  const list = (name: string): CertificateRevocationList =>
    CertificateRevocationList.parse(scratch.bytes(`${name}.crl`));

  const CONFIG = `
[ca]
default_ca = main
[main]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
certificate = root.pem
private_key = root.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[complete]
authorityKeyIdentifier = keyid:always
[at_point]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical, @point
[point]
fullname = URI:http://crl.example.com/a.crl
[users]
issuingDistributionPoint = critical, @only_users
[only_users]
onlyuser = TRUE
[authorities]
issuingDistributionPoint = critical, @only_authorities
[only_authorities]
onlyCA = TRUE
[some_reasons]
issuingDistributionPoint = critical, @reasons
[reasons]
onlysomereasons = keyCompromise, CACompromise
[other_reasons]
issuingDistributionPoint = critical, @remaining
[remaining]
onlysomereasons = affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, AACompromise
[delta]
authorityKeyIdentifier = keyid:always
2.5.29.27 = critical, ASN1:INTEGER:1
[unknown]
1.2.3.4 = critical, ASN1:NULL
`;

  function issue(name: string, extensions = ''): void {
    scratch.write(`${name}.ext`, `subjectAltName=DNS:example.com\n${extensions}`);
    scratch.run(
      'openssl',
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`],
    );
    scratch.run(
      'openssl',
      ...['ca', '-batch', '-config', 'ca.cnf', '-in', `${name}.csr`, '-out', `${name}.pem`, '-notext'],
      ...['-extfile', `${name}.ext`],
    );
  }

  function generate(name: string, section = 'complete', ...options: string[]): CertificateRevocationList {
    scratch.run(
      'openssl',
      ...['ca', '-config', 'ca.cnf', '-gencrl', '-crlexts', section, '-out', `${name}.pem.crl`, ...options],
    );
    scratch.run('openssl', 'crl', '-in', `${name}.pem.crl`, '-outform', 'DER', '-out', `${name}.crl`);
    return list(name);
  }

  beforeAll(() => {
    scratch.write('ca.cnf', CONFIG);
    scratch.write('index.txt', '');
    scratch.write('serial', '1000\n');
    scratch.write('crlnumber', '01\n');
    scratch.run(
      'openssl',
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '60'],
      ...['-keyout', 'root.key', '-out', 'root.pem', '-subj', '/CN=root'],
      ...['-addext', 'keyUsage=keyCertSign,cRLSign'],
    );
    issue('good');
    issue('bad');
    issue('held');
    issue('later');
    issue('pointed', 'crlDistributionPoints=URI:http://crl.example.com/a.crl\n');
    scratch.run(
      'openssl',
      'ca',
      '-config',
      'ca.cnf',
      '-revoke',
      'bad.pem',
      '-crl_compromise',
      '20260101000000Z',
    );
    scratch.run(
      'openssl',
      'ca',
      '-config',
      'ca.cnf',
      '-revoke',
      'held.pem',
      '-crl_reason',
      'certificateHold',
    );
    generate('complete');
  });
  const path = (name: string): Certificate[] => [certificate(name), certificate('root')];

  test('are read as openssl shows them', () => {
    const read = list('complete');
    const shown = scratch.run(
      'openssl',
      'crl',
      '-inform',
      'DER',
      '-in',
      'complete.crl',
      '-noout',
      '-crlnumber',
    );
    expect(shown.trim()).toBe(`crlNumber=0x${read.number!.toString(16).padStart(2, '0')}`);
    const dates = scratch.run(
      'openssl',
      'crl',
      '-inform',
      'DER',
      '-in',
      'complete.crl',
      '-noout',
      '-lastupdate',
      '-nextupdate',
    );
    expect(dates).toContain(`lastUpdate=${opensslTime(read.thisUpdate)}`);
    expect(dates).toContain(`nextUpdate=${opensslTime(read.nextUpdate!)}`);
    expect(read.entries.count).toBe(2);
    expect([...read.entries].map(({ reason }) => reason)).toEqual(['keyCompromise', 'certificateHold']);
    expect(read.find(certificate('bad').serialNumber)?.invalidityDate).toEqual(
      new Date('2026-01-01T00:00:00Z'),
    );
  });

  test('tell good from revoked', () => {
    const lists = [list('complete')];
    expect(statusOf(path('good'), lists)).toEqual({ status: 'good' });
    expect(statusOf(path('bad'), lists)).toMatchObject({ status: 'revoked', reason: 'keyCompromise' });
    expect(statusOf(path('held'), lists)).toMatchObject({ status: 'revoked', reason: 'certificateHold' });
    // A certificate with a point of its own is on the list for all, too.
    expect(statusOf(path('pointed'), lists)).toEqual({ status: 'good' });
  });

  test('decide on whole paths', () => {
    const verify = (name: string, lists: CertificateRevocationList[]): string => {
      try {
        verifyCertificate({
          provider,
          chain: [certificate(name)],
          trust: new TrustStore([certificate('root')]),
          at: new Date(),
          purpose: 'server',
          revocation: crlChecker({ provider, lists, policy: HARD_FAIL }),
        });
        return 'accepted';
      } catch (error) {
        return error instanceof CertificateError ? error.code : String(error);
      }
    };
    expect(verify('good', [list('complete')])).toBe('accepted');
    expect(verify('bad', [list('complete')])).toBe('revoked');
    expect(verify('good', [])).toBe('revocation-unknown');
  });

  test('of one distribution point count for certificates that name it', () => {
    const pointed = [generate('at-point', 'at_point')];
    expect(statusOf(path('pointed'), pointed)).toEqual({ status: 'good' });
    expect(statusOf(path('good'), pointed).status).toBe('unknown');
  });

  test('for users or CAs only count for those', () => {
    expect(statusOf(path('good'), [generate('users', 'users')])).toEqual({ status: 'good' });
    expect(statusOf(path('good'), [generate('authorities', 'authorities')]).status).toBe('unknown');
  });

  test('for some reasons leave the others open, until all are covered', () => {
    const some = generate('some', 'some_reasons');
    const others = generate('others', 'other_reasons');
    expect(statusOf(path('good'), [some])).toEqual({
      status: 'unknown',
      reason: 'the CRLs do not cover all reasons',
    });
    expect(statusOf(path('good'), [some, others])).toEqual({ status: 'good' });
    expect(statusOf(path('bad'), [some]).status).toBe('revoked');
  });

  test('that are deltas add to a complete one', () => {
    const base = list('complete');
    scratch.run('openssl', 'ca', '-config', 'ca.cnf', '-revoke', 'later.pem', '-crl_reason', 'superseded');
    const delta = generate('delta', 'delta');
    expect(delta.baseNumber).toBe(1n);
    expect(statusOf(path('later'), [base])).toEqual({ status: 'good' });
    expect(statusOf(path('later'), [base, delta])).toMatchObject({ status: 'revoked', reason: 'superseded' });
    expect(statusOf(path('good'), [base, delta])).toEqual({ status: 'good' });
    expect(statusOf(path('later'), [delta]).status).toBe('unknown');
  });

  test.each<[string, () => RevocationStatus]>([
    ['over', () => statusOf(path('good'), [list('complete')], { at: new Date(Date.now() + 8 * DAY) })],
    ['not yet there', () => statusOf(path('good'), [list('complete')], { at: new Date(Date.now() - DAY) })],
    [
      'with a critical extension that nobody knows',
      () => statusOf(path('good'), [generate('unknown', 'unknown')]),
    ],
    ['signed with SHA-1', () => statusOf(path('good'), [generate('sha1', 'complete', '-md', 'sha1')])],
  ])('that are %s say nothing', (_, status) => {
    expect(status().status).toBe('unknown');
  });

  test('that are changed anywhere say nothing, and break nothing', () => {
    const bytes = list('complete').der;
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 4;
      let status = 'refused';
      try {
        status = statusOf(path('bad'), [CertificateRevocationList.parse(changed)]).status;
      } catch (error) {
        expect(error).toBeInstanceOf(CertificateError);
      }
      expect(['refused', 'unknown']).toContain(status);
    }
  });

  test('by a certificate that may not sign lists say nothing', () => {
    scratch.run(
      'openssl',
      ...['req', '-x509', '-key', 'root.key', '-days', '60', '-out', 'root-no-crl.pem', '-subj', '/CN=root'],
      ...['-addext', 'keyUsage=keyCertSign'],
    );
    const status = statusOf([certificate('good'), certificate('root-no-crl')], [list('complete')]);
    expect(status).toMatchObject({ status: 'unknown', reason: expect.stringContaining('cRLSign') });
  });
});

suite('CRLs of ours', () => {
  const scratch = useScratch('crl-ours');
  const at = new Date(Math.floor(Date.now() / 1000) * 1000);
  const authority = createCertificateAuthority({ provider, commonName: 'Our CA' });
  const managed = new ManagedAuthority(authority, new MemoryCertificateDatabase());

  beforeAll(async () => {
    scratch.write('root.pem', certificateToPem(authority.certificate));
    for (const name of ['good', 'bad', 'held', 'later']) {
      const { certificate } = await managed.issue({ names: [`${name}.example.com`], purpose: 'server' });
      scratch.write(`${name}.pem`, certificateToPem(certificate));
    }
    await managed.revoke(serial('bad'), { reason: 'keyCompromise', at, invalidityDate: new Date(+at - DAY) });
    await managed.revoke(serial('held'), { reason: 'certificateHold', at });
    // OpenSSL looks for deltas only where something points to them.
    const freshestCrlUrls = ['http://crl.example.com/delta.crl'];
    save('complete', await managed.crl({ at, freshestCrlUrls }));
    await managed.revoke(serial('later'), { reason: 'superseded', at: new Date(+at + 1000) });
    await managed.release(serial('held'), new Date(+at + 1000));
    save('delta', await managed.crl({ delta: true, at: new Date(+at + 1000) }));
  });
  const serial = (name: string): Uint8Array =>
    parseCertificates(scratch.text(`${name}.pem`))[0]!.serialNumber;
  function save(name: string, list: CertificateRevocationList): void {
    scratch.write(`${name}.crl`, encodePem('X509 CRL', list.der));
  }
  const verify = (name: string, ...options: string[]): { status: number | null; said: string } =>
    scratch.attempt(
      'openssl',
      'verify',
      '-x509_strict',
      '-CAfile',
      'root.pem',
      '-crl_check_all',
      ...options,
      `${name}.pem`,
    );

  test('are what openssl verifies with', () => {
    const complete = ['-CRLfile', 'complete.crl'];
    expect(verify('good', ...complete)).toMatchObject({ status: 0 });
    expect(verify('later', ...complete)).toMatchObject({ status: 0 });
    for (const name of ['bad', 'held'])
      expect(verify(name, ...complete).said).toContain('certificate revoked');
    expect(verify('good').said).toContain('unable to get certificate CRL');
  });

  test('are deltas that openssl takes with the complete one', () => {
    scratch.write('both.crl', scratch.text('complete.crl') + scratch.text('delta.crl'));
    // The delta begins with this second, which openssl's clock may not have seen end.
    const options = [
      '-CRLfile',
      'both.crl',
      '-use_deltas',
      '-extended_crl',
      '-attime',
      String(+at / 1000 + 2),
    ];
    expect(verify('later', ...options).said).toContain('certificate revoked');
    expect(verify('good', ...options)).toMatchObject({ status: 0 });
  });

  test('have the entries and extensions that openssl shows', () => {
    const text = scratch.run(
      'openssl',
      'crl',
      '-in',
      'complete.crl',
      '-noout',
      '-text',
      '-CAfile',
      'root.pem',
    );
    expect(text).toMatch(/Version 2/);
    expect(text).toContain('Key Compromise');
    expect(text).toContain('Certificate Hold');
    expect(text).toMatch(/Invalidity Date/);
    expect(text).toMatch(/X509v3 CRL Number:\s+1/);
    expect(
      scratch.attempt('openssl', 'crl', '-in', 'complete.crl', '-noout', '-CAfile', 'root.pem').said,
    ).toContain('verify OK');
    expect(scratch.run('openssl', 'crl', '-in', 'delta.crl', '-noout', '-text')).toMatch(
      /X509v3 Delta CRL Indicator: critical\s+1/,
    );
    expect(scratch.run('openssl', 'crl', '-in', 'delta.crl', '-noout', '-text')).toContain('Remove From CRL');
  });
});

const gnutls = withPrograms('certtool');
gnutls('CRLs and GnuTLS', () => {
  const scratch = useScratch('crl-gnutls');

  test('it verifies ours, and ours its', () => {
    const authority = createCertificateAuthority({ provider, commonName: 'Our CA' });
    const { certificate } = authority.issue({ names: ['example.com'], purpose: 'server' });
    const thisUpdate = new Date(Date.now() - 60_000);
    const list = buildCrl(
      {
        ...{ thisUpdate, nextUpdate: new Date(Date.now() + DAY), number: 7n },
        entries: [
          { serialNumber: certificate.serialNumber, revocationDate: thisUpdate, reason: 'superseded' },
        ],
      },
      provider,
      authority,
    );
    scratch.write('ca.pem', certificateToPem(authority.certificate));
    scratch.write('list.pem', encodePem('X509 CRL', list.der));
    scratch.write('leaf.pem', certificateToPem(certificate));
    const { said } = scratch.attempt(
      'certtool',
      '--verify-crl',
      '--load-ca-certificate',
      'ca.pem',
      '--infile',
      'list.pem',
    );
    expect(said).toMatch(/Verification output: Verified/);
    const verify = ['--verify', '--load-ca-certificate', 'ca.pem', '--infile', 'leaf.pem'];
    expect(scratch.attempt('certtool', ...verify).said).toMatch(/The certificate is trusted/);
    expect(scratch.attempt('certtool', ...verify, '--load-crl', 'list.pem').said).toMatch(/revoked/);

    scratch.run(
      'certtool',
      '--generate-privkey',
      '--key-type',
      'rsa',
      '--bits',
      '2048',
      '--outfile',
      'ca.key',
    );
    scratch.write(
      'ca.cfg',
      'cn = "GnuTLS CA"\nca\ncert_signing_key\ncrl_signing_key\nexpiration_days = 30\n',
    );
    scratch.run(
      'certtool',
      '--generate-self-signed',
      '--load-privkey',
      'ca.key',
      '--template',
      'ca.cfg',
      '--outfile',
      'gca.pem',
    );
    scratch.write(
      'leaf.cfg',
      'cn = "leaf"\ndns_name = "example.com"\ntls_www_server\nexpiration_days = 20\n',
    );
    scratch.run(
      'certtool',
      '--generate-privkey',
      '--key-type',
      'rsa',
      '--bits',
      '2048',
      '--outfile',
      'leaf.key',
    );
    const by = ['--load-ca-privkey', 'ca.key', '--load-ca-certificate', 'gca.pem'];
    scratch.run(
      'certtool',
      '--generate-certificate',
      '--load-privkey',
      'leaf.key',
      ...by,
      '--template',
      'leaf.cfg',
      '--outfile',
      'gleaf.pem',
    );
    scratch.write('crl.cfg', 'crl_next_update = 10\ncrl_number = 5\n');
    scratch.run(
      'certtool',
      '--generate-crl',
      ...by,
      '--load-certificate',
      'gleaf.pem',
      '--template',
      'crl.cfg',
      '--outder',
      '--outfile',
      'theirs.crl',
    );
    const path = [
      ...parseCertificates(scratch.text('gleaf.pem')),
      ...parseCertificates(scratch.text('gca.pem')),
    ];
    const theirs = CertificateRevocationList.parse(scratch.bytes('theirs.crl'));
    expect(theirs.number).toBe(5n);
    expect(statusOf(path, [theirs]).status).toBe('revoked');
  });
});

/** As `openssl crl -lastupdate` prints it. */
function opensslTime(date: Date): string {
  const [, month, day, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/
    .exec(date.toUTCString())!
    .map(String);
  return `${day} ${Number(month).toString().padStart(2)} ${time} ${year} GMT`;
}
