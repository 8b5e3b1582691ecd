import { readFileSync } from 'node:fs';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CertificateAuthority,
  CertificateError,
  type CertificateErrorCode,
  certificateToPem,
  createCertificateAuthority,
  parseCertificates,
  parsePrivateKey,
  privateKeyToPem,
  TrustStore,
  type VerifyOptions,
  verifyCertificate,
} from '@testudo/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { EC_KEY, opensslCa } from '../support/openssl-ca.ts';
import { withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

// OpenSSL's certificates under our verification, and ours under OpenSSL's.

const suite = withPrograms('openssl');

const scratch = useScratch('x509');
const { path, text: read, write } = scratch;
const openssl = (...args: string[]): string => scratch.run('openssl', ...args);
const ca = opensslCa(scratch);

/** A certificate `name.pem` with `name.key` by the CA `by`, with these lines of extensions. */
function signed(name: string, by: string, extensions: string, key = EC_KEY, ...more: string[]): void {
  ca.request(name, key);
  ca.sign(name, by, extensions, ...more);
}

const SAN = 'subjectAltName=DNS:example.com,IP:192.0.2.1';
const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign';

function verdict(
  chain: readonly string[],
  root: string,
  options: Partial<VerifyOptions> = {},
): 'accepted' | CertificateErrorCode {
  try {
    verifyCertificate({
      provider: nodeCrypto,
      chain: chain.flatMap((name) => parseCertificates(read(`${name}.pem`))),
      trust: new TrustStore(parseCertificates(read(`${root}.pem`))),
      at: new Date(),
      purpose: 'server',
      name: { kind: 'dns', value: 'example.com' },
      ...options,
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

suite('certificates by openssl', () => {
  beforeAll(() => {
    ca.selfSigned('root', EC_KEY);
    signed('middle', 'root', CA);
    signed('leaf', 'middle', `${SAN}\nextendedKeyUsage=serverAuth`);
  });

  test('chains are accepted, with names as DNS and IP', () => {
    expect(verdict(['leaf', 'middle'], 'root')).toBe('accepted');
    expect(verdict(['leaf', 'root', 'middle'], 'root', { name: { kind: 'ip', value: '192.0.2.1' } })).toBe(
      'accepted',
    );
  });

  describe('signed with', () => {
    test.each<[string, readonly string[], readonly string[], 'accepted' | CertificateErrorCode]>([
      ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], ['-sha384'], 'accepted'],
      ['P-521', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'], ['-sha512'], 'accepted'],
      ['P-256 and SHA-512', EC_KEY, ['-sha512'], 'accepted'],
      ['Ed25519', ['-newkey', 'ed25519'], [], 'accepted'],
      ['Ed448', ['-newkey', 'ed448'], [], 'accepted'],
      ['RSA', ['-newkey', 'rsa:2048'], ['-sha256'], 'accepted'],
      ['RSA and SHA-512', ['-newkey', 'rsa:2048'], ['-sha512'], 'accepted'],
      [
        'RSA-PSS, salt as long as the hash',
        ['-newkey', 'rsa:2048'],
        ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
        'accepted',
      ],
      [
        'RSA-PSS and SHA-384',
        ['-newkey', 'rsa:2048'],
        ['-sha384', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
        'accepted',
      ],
      [
        'a key for RSA-PSS only',
        ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'],
        ['-sha256', '-sigopt', 'rsa_pss_saltlen:digest'],
        'accepted',
      ],
      [
        'RSA-PSS, another salt',
        ['-newkey', 'rsa:2048'],
        ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:20'],
        'unsupported-algorithm',
      ],
      ['SHA-1 and RSA', ['-newkey', 'rsa:2048'], ['-sha1'], 'weak-signature'],
      ['SHA-1 and ECDSA', EC_KEY, ['-sha1'], 'weak-signature'],
      ['MD5', ['-newkey', 'rsa:2048'], ['-md5'], 'weak-signature'],
      ['SHA-224', EC_KEY, ['-sha224'], 'unsupported-algorithm'],
      ['RSA of 1024 bits', ['-newkey', 'rsa:1024'], ['-sha256'], 'weak-key'],
      [
        'an explicit curve',
        ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'],
        ['-sha256'],
        'unsupported-algorithm',
      ],
      [
        'secp256k1',
        ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
        ['-sha256'],
        'unsupported-algorithm',
      ],
    ])('%s', (name, key, options, expected) => {
      const issuer = `ca-${name.replaceAll(/\W+/g, '-')}`;
      ca.selfSigned(issuer, key);
      signed(`${issuer}-leaf`, issuer, SAN, EC_KEY, ...options);
      expect(verdict([`${issuer}-leaf`], issuer)).toBe(expected);
    });
  });

  test.each<[string, string, CertificateErrorCode]>([
    ['of another name', 'subjectAltName=DNS:example.org', 'name-mismatch'],
    ['without alternative names', 'keyUsage=digitalSignature', 'name-mismatch'],
    ['for mail', `${SAN}\nextendedKeyUsage=emailProtection`, 'bad-extended-key-usage'],
    ['for clients', `${SAN}\nextendedKeyUsage=clientAuth`, 'bad-extended-key-usage'],
    ['for encryption only', `${SAN}\nkeyUsage=keyEncipherment`, 'bad-key-usage'],
    [
      'with an unknown critical extension',
      `${SAN}\n1.2.3.4=critical,ASN1:NULL`,
      'unknown-critical-extension',
    ],
    ['of version 1', '', 'unsupported-version'],
  ])('a leaf %s is refused', (name, extensions, code) => {
    const file = `leaf-${name.replaceAll(' ', '-')}`;
    signed(file, 'root', extensions);
    expect(verdict([file], 'root')).toBe(code);
  });

  test('CAs are held to their limits', () => {
    signed('not-ca', 'root', 'basicConstraints=CA:FALSE');
    signed('under-not-ca', 'not-ca', SAN);
    expect(verdict(['under-not-ca', 'not-ca'], 'root')).toBe('not-a-ca');

    signed('short', 'root', 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=keyCertSign');
    signed('below-short', 'short', CA);
    signed('under-short', 'below-short', SAN);
    expect(verdict(['under-short', 'below-short', 'short'], 'root')).toBe('path-too-long');

    signed(
      'limited',
      'root',
      `${CA}\nnameConstraints=critical,permitted;DNS:example.com,permitted;IP:192.0.2.0/255.255.255.0`,
    );
    signed('inside', 'limited', SAN);
    signed('outside', 'limited', 'subjectAltName=DNS:example.com,DNS:example.org');
    expect(verdict(['inside', 'limited'], 'root')).toBe('accepted');
    expect(verdict(['outside', 'limited'], 'root')).toBe('name-constraint');
  });

  test('self-signed ones are accepted when trusted, and only then', () => {
    ca.selfSigned('alone', EC_KEY, '-addext', SAN);
    expect(verdict(['alone'], 'alone')).toBe('accepted');
    expect(verdict(['alone'], 'root')).toBe('self-signed');
    expect(verdict(['leaf'], 'root')).toBe('unknown-issuer');
    expect(verdict(['leaf', 'middle'], 'root', { at: new Date(Date.now() + 25 * 86_400_000) })).toBe(
      'expired',
    );
    expect(verdict(['leaf', 'middle'], 'root', { at: new Date(Date.now() - 86_400_000) })).toBe(
      'not-yet-valid',
    );
  });

  test('keys are read in every form that openssl writes', () => {
    openssl('ec', '-in', 'leaf.key', '-out', 'sec1.key');
    openssl('pkey', '-in', 'leaf.key', '-outform', 'DER', '-out', 'leaf.der');
    openssl('pkey', '-in', 'leaf.key', '-aes256', '-passout', 'pass:secret', '-out', 'encrypted.key');
    const [certificate] = parseCertificates(read('leaf.pem'));
    for (const name of ['leaf.key', 'sec1.key', 'leaf.der'])
      expect(parsePrivateKey(readFileSync(path(name)), nodeCrypto).publicKey.spki).toEqual(certificate!.spki);
    expect(() => parsePrivateKey(read('encrypted.key'), nodeCrypto)).toThrow(
      expect.objectContaining({ code: 'encrypted-key' }),
    );
  });
});

suite('certificates of ours under openssl verify', () => {
  let authority: CertificateAuthority;

  beforeAll(() => {
    authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Our CA' });
    write('root.pem', certificateToPem(authority.certificate));
    const intermediate = authority.issueAuthority({ commonName: 'Our intermediate' });
    write('middle.pem', certificateToPem(intermediate.certificate));
    const server = intermediate.issue({
      names: ['example.com', '*.example.org', '192.0.2.1', '2001:db8::1'],
      purpose: 'server',
    });
    write('server.pem', certificateToPem(server.certificate));
    write('server.key', privateKeyToPem(server.privateKey!));
    const client = authority.issue({
      commonName: 'someone',
      names: ['someone@example.com'],
      purpose: 'client',
    });
    write('client.pem', certificateToPem(client.certificate));
  });

  const verify = (...args: string[]): boolean =>
    scratch.attempt('openssl', 'verify', '-x509_strict', '-CAfile', 'root.pem', ...args).status === 0;

  test.each([
    ['example.com', ['-verify_hostname', 'example.com']],
    ['a wildcard', ['-verify_hostname', 'www.example.org']],
    ['IPv4', ['-verify_ip', '192.0.2.1']],
    ['IPv6', ['-verify_ip', '2001:db8::1']],
  ])('a server is accepted for %s', (_, args) => {
    expect(verify('-purpose', 'sslserver', '-untrusted', 'middle.pem', ...args, 'server.pem')).toBe(true);
  });

  test('a client is accepted', () => {
    expect(verify('-purpose', 'sslclient', '-verify_email', 'someone@example.com', 'client.pem')).toBe(true);
  });

  test.each([
    [
      'another name',
      ['-purpose', 'sslserver', '-untrusted', 'middle.pem', '-verify_hostname', 'example.net', 'server.pem'],
    ],
    [
      'two labels under a wildcard',
      [
        '-purpose',
        'sslserver',
        '-untrusted',
        'middle.pem',
        '-verify_hostname',
        'a.b.example.org',
        'server.pem',
      ],
    ],
    ['the other purpose', ['-purpose', 'sslclient', '-untrusted', 'middle.pem', 'server.pem']],
    ['no intermediate', ['-purpose', 'sslserver', 'server.pem']],
    ['a client as a server', ['-purpose', 'sslserver', 'client.pem']],
  ])('but not for %s', (_, args) => {
    expect(verify(...args)).toBe(false);
  });

  test('the key file belongs to the certificate, as openssl reads both', () => {
    expect(openssl('pkey', '-in', 'server.key', '-pubout')).toBe(
      openssl('x509', '-in', 'server.pem', '-noout', '-pubkey'),
    );
  });
});
