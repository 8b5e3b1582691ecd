import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import {
  CertificateError,
  CertificationRequest,
  certificateToPem,
  createCertificateAuthority,
  createCertificationRequest,
  type GeneralName,
  generalNameText,
  parsePrivateKey,
  privateKeyToEncryptedPem,
  type SigningRules,
} from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../support/cpu-time.ts';
import { withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

const provider = nodeCrypto;
const KEYS: readonly KeySpec[] = [
  { type: 'ec', curve: 'secp256r1' },
  { type: 'ec', curve: 'secp384r1' },
  { type: 'rsa', bits: 2048 },
  { type: 'ed25519' },
];
const nameOf = (key: KeySpec): string => ('curve' in key ? key.curve : key.type);

const codeOf = (action: () => unknown): string => {
  try {
    action();
    return 'accepted';
  } catch (error) {
    return error instanceof CertificateError ? error.code : String(error);
  }
};

const suite = withPrograms('openssl');
suite('encrypted private keys and openssl', () => {
  const scratch = useScratch('keys');
  const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
  const limits = { steps: 1_000_000 };

  test.each<[string, string[]]>([
    ['its default', []],
    ['AES-128 and SHA-1', ['-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA1']],
    ['SHA-512', ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512']],
    ['3DES in PBES2', ['-v2', 'des3']],
    ['3DES of PKCS#12', ['-v1', 'PBE-SHA1-3DES']],
    ['scrypt', ['-scrypt']],
    ['scrypt of other costs', ['-scrypt', '-scrypt_N', '1024', '-scrypt_r', '4', '-scrypt_p', '2']],
    ['300,000 iterations', ['-iter', '300000']],
  ])('its PKCS#8 is read: %s', (_, options) => {
    scratch.run('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', 'plain.key');
    scratch.run(
      'openssl',
      ...['pkcs8', '-topk8', '-in', 'plain.key', '-out', 'encrypted.key', '-passout', 'pass:secret'],
      ...options,
    );
    const expected = parsePrivateKey(scratch.text('plain.key'), provider).exportPkcs8();
    const read = (password?: string): unknown =>
      parsePrivateKey(scratch.text('encrypted.key'), provider, { password, limits });
    expect(
      parsePrivateKey(scratch.text('encrypted.key'), provider, { password: 'secret', limits }).exportPkcs8(),
    ).toEqual(expected);
    expect(codeOf(() => read('Secret'))).toBe('wrong-password');
    expect(codeOf(() => read(''))).toBe('wrong-password');
    expect(codeOf(() => read())).toBe('encrypted-key');
    scratch.run(
      'openssl',
      ...['pkcs8', '-in', 'encrypted.key', '-passin', 'pass:secret', '-topk8', '-outform', 'DER'],
      ...['-out', 'encrypted.der', '-passout', 'pass:secret'],
    );
    const der = parsePrivateKey(scratch.bytes('encrypted.der'), provider, { password: 'secret' });
    expect(der.exportPkcs8()).toEqual(expected);
  });

  test.each(['-aes128', '-aes256', '-des3'])('its old format is read: %s', (cipher) => {
    scratch.run('openssl', 'genrsa', '-out', 'rsa.key', '2048');
    scratch.run(
      'openssl',
      ...['rsa', '-in', 'rsa.key', '-traditional', cipher, '-out', 'old.key', '-passout', 'pass:secret'],
    );
    expect(scratch.text('old.key')).toContain('Proc-Type: 4,ENCRYPTED');
    const read = parsePrivateKey(scratch.text('old.key'), provider, { password: 'secret' });
    expect(read.exportPkcs8()).toEqual(parsePrivateKey(scratch.text('rsa.key'), provider).exportPkcs8());
    expect(['wrong-password', 'malformed']).toContain(
      codeOf(() => parsePrivateKey(scratch.text('old.key'), provider, { password: 'no' })),
    );
  });

  test.each<[string, string[]]>([
    ['iterations', ['-iter', '2000000']],
    ['scrypt', ['-scrypt', '-scrypt_N', '16384', '-scrypt_r', '8', '-scrypt_p', '8']],
  ])('what would take too long is refused at once: %s', (_, options) => {
    scratch.run('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', 'plain.key');
    scratch.run(
      'openssl',
      ...['pkcs8', '-topk8', '-in', 'plain.key', '-out', 'dear.key', '-passout', 'pass:secret', ...options],
    );
    const took = cpuTime(() =>
      expect(
        codeOf(() => parsePrivateKey(scratch.text('dear.key'), provider, { password: 'secret', limits })),
      ).toBe('budget-exceeded'),
    );
    expect(took).toBeLessThan(200);
  });

  test.each(['pbkdf2', 'scrypt', '3des'] as const)('it reads ours: %s', (scheme) => {
    const encryption = scheme === 'scrypt' ? { scheme } : { scheme, iterations: 5000 };
    scratch.write('ours.key', privateKeyToEncryptedPem(key, 'gehe\u00edm', provider, encryption));
    scratch.run('openssl', 'pkey', '-in', 'ours.key', '-passin', 'pass:gehe\u00edm', '-out', 'opened.key');
    expect(parsePrivateKey(scratch.text('opened.key'), provider).exportPkcs8()).toEqual(key.exportPkcs8());
    expect(
      scratch.attempt('openssl', 'pkey', '-in', 'ours.key', '-passin', 'pass:no', '-noout').status,
    ).not.toBe(0);
  });

  test('the portable provider reads what the other wrote', () => {
    for (const scheme of ['pbkdf2', 'scrypt'] as const) {
      const pem = privateKeyToEncryptedPem(
        key,
        'x',
        provider,
        scheme === 'scrypt' ? { scheme } : { scheme, iterations: 100 },
      );
      expect(parsePrivateKey(pem, portableCrypto, { password: 'x' }).exportPkcs8()).toEqual(
        key.exportPkcs8(),
      );
    }
  });
});

suite('certification requests and openssl', () => {
  const scratch = useScratch('requests');
  const root = createCertificateAuthority({ provider, commonName: 'Root' });
  const rules: SigningRules = { purpose: 'server', names: ['*.example.com', '192.0.2.1'] };
  const namesIn = (names: readonly GeneralName[] | undefined): string[] => (names ?? []).map(generalNameText);

  function request(...options: string[]): string {
    scratch.run(
      'openssl',
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', 'req.key', '-out', 'req.pem', '-subj', '/CN=example.com', ...options],
    );
    return scratch.text('req.pem');
  }

  test.each(KEYS.map((key) => [nameOf(key), key] as const))('it verifies ours: %s', (_, key) => {
    const privateKey = provider.generateKey(key);
    const made = createCertificationRequest({
      ...{ provider, privateKey, mustStaple: true },
      subject: { country: 'DE', organization: 'Example', commonName: 'example.com' },
      names: ['example.com', '*.example.org', '192.0.2.1', 'a@example.com'],
    });
    scratch.write('ours.pem', made.toPem());
    const { said } = scratch.attempt('openssl', 'req', '-in', 'ours.pem', '-verify', '-noout', '-text');
    expect(said).toMatch(/verify OK/i);
    expect(said).toContain('DNS:example.com, DNS:*.example.org, IP Address:192.0.2.1, email:a@example.com');
    expect(said).toMatch(/C = DE, O = Example, CN = example.com/);
    expect(said).toContain('status_request');
  });

  test.each<[string, string[]]>([
    ['P-256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['RSA', ['-newkey', 'rsa:2048']],
    [
      'RSA-PSS',
      ['-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
    ],
    ['Ed25519', ['-newkey', 'ed25519']],
  ])('its own are read, and signed: %s', (_, key) => {
    scratch.run(
      'openssl',
      ...[
        'req',
        '-new',
        ...key,
        '-nodes',
        '-keyout',
        'req.key',
        '-out',
        'req.pem',
        '-subj',
        '/O=Evil Corp/CN=example.com',
      ],
      ...['-addext', 'subjectAltName=DNS:example.com,DNS:www.example.com,IP:192.0.2.1'],
      ...['-addext', 'keyUsage=keyCertSign', '-addext', 'tlsfeature=status_request'],
    );
    const { certificate, certificateChain } = root.sign(scratch.text('req.pem'), rules);
    expect(namesIn(certificate.extensions.subjectAltName)).toEqual([
      'DNS:example.com',
      'DNS:www.example.com',
      'IP:192.0.2.1',
    ]);
    // What nobody checked does not get in.
    expect(String(certificate.subject)).toBe('CN=example.com');
    expect(certificate.extensions.keyUsage?.has('keyCertSign')).toBe(false);
    scratch.write('root.pem', certificateToPem(root.certificate));
    scratch.write('signed.pem', certificateToPem(...certificateChain));
    expect(
      scratch.run(
        'openssl',
        'verify',
        '-x509_strict',
        '-purpose',
        'sslserver',
        '-CAfile',
        'root.pem',
        'signed.pem',
      ),
    ).toContain('OK');
    expect(scratch.run('openssl', 'x509', '-in', 'signed.pem', '-noout', '-pubkey')).toBe(
      scratch.run('openssl', 'pkey', '-in', 'req.key', '-pubout'),
    );
    expect(scratch.run('openssl', 'x509', '-in', 'signed.pem', '-noout', '-text')).toContain(
      'status_request',
    );
  });

  test('a request with an attribute of its own and a challenge password is read', () => {
    scratch.write(
      'req.cnf',
      '[req]\ndistinguished_name=dn\nattributes=attr\nprompt=no\n[dn]\nCN=example.com\n[attr]\nchallengePassword=secret1\n',
    );
    const pem = request('-config', 'req.cnf');
    expect(namesIn(root.sign(pem, rules).certificate.extensions.subjectAltName)).toEqual(['DNS:example.com']);
  });

  test('the subject stands as asked for where the rules say so', () => {
    const pem = request('-subj', '/O=Example/CN=example.com', '-addext', 'subjectAltName=DNS:example.com');
    const signed = root.sign(pem, { ...rules, names: 'any', subject: 'as-requested' });
    expect(String(signed.certificate.subject)).toBe('CN=example.com,O=Example');
  });

  describe('refuses', () => {
    test.each<[string, string[], string, Partial<SigningRules>]>([
      [
        'a name that is not allowed',
        ['-addext', 'subjectAltName=DNS:example.com,DNS:example.org'],
        'profile-violation',
        {},
      ],
      [
        'an address that is not allowed',
        ['-addext', 'subjectAltName=DNS:example.com,IP:192.0.2.2'],
        'profile-violation',
        {},
      ],
      ['a wildcard over the base', ['-addext', 'subjectAltName=DNS:*.com'], 'profile-violation', {}],
      [
        'a wildcard where only the name is granted',
        ['-addext', 'subjectAltName=DNS:*.example.com'],
        'profile-violation',
        { names: ['example.com'] },
      ],
      ['a look-alike at the end', ['-addext', 'subjectAltName=DNS:notexample.com'], 'profile-violation', {}],
      [
        'a mail address for a server of mail',
        ['-addext', 'subjectAltName=DNS:example.com'],
        'profile-violation',
        { purpose: 'email', names: 'any' },
      ],
      [
        'a name with a space',
        ['-addext', 'subjectAltName=DNS:exam ple.com'],
        'profile-violation',
        { names: 'any' },
      ],
      [
        'a CA',
        ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'subjectAltName=DNS:example.com'],
        'profile-violation',
        {},
      ],
      [
        'a further extension',
        ['-addext', 'subjectAltName=DNS:example.com', '-addext', '1.2.3.4=ASN1:NULL'],
        'profile-violation',
        { otherExtensions: 'refuse' },
      ],
      [
        'another purpose',
        ['-addext', 'subjectAltName=DNS:example.com', '-addext', 'extendedKeyUsage=codeSigning'],
        'profile-violation',
        { otherExtensions: 'refuse' },
      ],
      ['a subject alone that is not allowed', ['-subj', '/CN=example.org'], 'profile-violation', {}],
      [
        'a short RSA key',
        ['-newkey', 'rsa:1024', '-addext', 'subjectAltName=DNS:example.com'],
        'weak-key|bad-signature',
        {},
      ],
      [
        'an RSA key below the rules',
        ['-newkey', 'rsa:2048', '-addext', 'subjectAltName=DNS:example.com'],
        'weak-key',
        { minimumRsaBits: 3072 },
      ],
      ['SHA-1', ['-sha1', '-addext', 'subjectAltName=DNS:example.com'], 'bad-signature', {}],
      [
        'a curve that we do not have',
        ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
        'unsupported-algorithm',
        {},
      ],
    ])('%s', (_, options, expected, changes) => {
      const isKey = options.includes('-newkey');
      if (isKey)
        scratch.run(
          'openssl',
          'req',
          '-new',
          '-nodes',
          '-keyout',
          'req.key',
          '-out',
          'req.pem',
          '-subj',
          '/CN=example.com',
          ...options,
        );
      else request(...options);
      expect(expected.split('|')).toContain(
        codeOf(() => root.sign(scratch.text('req.pem'), { ...rules, ...changes })),
      );
    });

    test('a request whose key somebody else holds, and any change', () => {
      const bytes = CertificationRequest.parse(request('-addext', 'subjectAltName=DNS:example.com')).der;
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice();
        changed[at]! ^= 1;
        expect(codeOf(() => root.sign(changed, { ...rules, names: 'any' }))).not.toBe('accepted');
      }
    });

    test.each<[string, string | Uint8Array]>([
      ['nothing', ''],
      ['a certificate', certificateToPem(root.certificate)],
      ['a certificate, DER', root.certificate.der],
      ['too much', new Uint8Array(70_000).fill(0x30)],
    ])('%s', (_, input) => {
      expect(codeOf(() => CertificationRequest.parse(input))).toBe('malformed');
    });
  });
});

const gnutls = withPrograms('certtool');
gnutls('certification requests and GnuTLS', () => {
  const scratch = useScratch('requests-gnutls');

  test('each reads what the other wrote', () => {
    scratch.run(
      'certtool',
      '--generate-privkey',
      '--key-type',
      'ecdsa',
      '--curve',
      'secp256r1',
      '--outfile',
      'key.pem',
    );
    scratch.write('req.cfg', 'cn = "example.com"\ndns_name = "example.com"\ntls_www_server\nsigning_key\n');
    scratch.run(
      'certtool',
      '--generate-request',
      '--load-privkey',
      'key.pem',
      '--template',
      'req.cfg',
      '--outfile',
      'req.pem',
    );
    const root = createCertificateAuthority({ provider, commonName: 'Root' });
    const { certificate } = root.sign(scratch.text('req.pem'), { purpose: 'server', names: ['example.com'] });
    expect(certificate.extensions.subjectAltName?.map(generalNameText)).toEqual(['DNS:example.com']);

    const privateKey = provider.generateKey({ type: 'rsa', bits: 2048 });
    const ours = createCertificationRequest({ provider, privateKey, names: ['example.com'] });
    scratch.write('ours.pem', ours.toPem());
    const text = scratch.run('certtool', '--crq-info', '--infile', 'ours.pem');
    expect(text).toContain('DNSname: example.com');
    expect(text).toMatch(/Self signature: verified/);
  });
});
