import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CertificateAuthority,
  type CertificatePurpose,
  certificateToPem,
  createCertificateAuthority,
  distributionPointsOf,
  httpUrlsOf,
  ocspUrlsOf,
} from '@testudo/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

// What our CA issues, under openssl verify.

const provider = nodeCrypto;
const suite = withPrograms('openssl');

suite('certificates of our CA', () => {
  const scratch = useScratch('certificates');
  const root = createCertificateAuthority({
    ...{ provider, commonName: 'Root', subject: { country: 'DE', organization: 'Example' } },
  });
  beforeAll(() => void scratch.write('root.pem', certificateToPem(root.certificate)));
  const verify = (...options: string[]): string =>
    scratch.attempt('openssl', 'verify', '-x509_strict', '-CAfile', 'root.pem', ...options).said;
  const shown = (name: string): string =>
    scratch.run('openssl', 'x509', '-in', `${name}.pem`, '-noout', '-text', '-purpose');
  const EC: KeySpec = { type: 'ec', curve: 'secp256r1' };

  test.each<[CertificatePurpose, KeySpec, string, string, RegExp]>([
    ['server', EC, 'a.example.com', 'sslserver', /Key Usage: critical\s+Digital Signature\n/],
    [
      'server',
      { type: 'rsa', bits: 2048 },
      'a.example.com',
      'sslserver',
      /Digital Signature, Key Encipherment\n/,
    ],
    ['client', { type: 'ed25519' }, 'a@example.com', 'sslclient', /TLS Web Client Authentication/],
    ['email', EC, 'a@example.com', 'smimesign', /Digital Signature, Non Repudiation, Key Agreement\n/],
    [
      'email',
      { type: 'rsa', bits: 2048 },
      'a@example.com',
      'smimeencrypt',
      /Non Repudiation, Key Encipherment\n/,
    ],
    ['email', { type: 'ed25519' }, 'a@example.com', 'smimesign', /Digital Signature, Non Repudiation\n/],
    ['ike', { type: 'ec', curve: 'secp384r1' }, 'gw.example.com', 'any', /ipsec Internet Key Exchange/],
  ])('for %s with %o are good for that, and no CAs', (purpose, key, name, openssl, expected) => {
    const { certificate } = root.issue({ names: [name], purpose, key });
    scratch.write('leaf.pem', certificateToPem(certificate));
    expect(verify('-purpose', openssl, 'leaf.pem')).toContain('leaf.pem: OK');
    expect(shown('leaf')).toMatch(expected);
    expect(shown('leaf')).toMatch(/SSL server CA : No/);
    const other = { server: 'sslclient', client: 'sslserver', email: 'sslserver', ike: 'sslserver' };
    expect(verify('-purpose', other[purpose as keyof typeof other], 'leaf.pem')).toMatch(/purpose/);
  });

  test('for an OCSP responder are for that only, and need no check', () => {
    const { certificate } = root.issue({ commonName: 'responder', purpose: 'ocsp-responder' });
    scratch.write('ocsp.pem', certificateToPem(certificate));
    expect(verify('ocsp.pem')).toContain('OK');
    expect(shown('ocsp')).toMatch(/OCSP helper : Yes/);
    expect(shown('ocsp')).toMatch(/OCSP No Check/);
    expect(verify('-purpose', 'sslserver', 'ocsp.pem')).toMatch(/purpose/);
  });

  test('have the subject that was asked for', () => {
    const { certificate } = root.issue({
      ...{ names: ['a.example.com'], purpose: 'server', commonName: 'A' },
      subject: {
        country: 'DE',
        stateOrProvince: 'Berlin',
        locality: 'Berlin',
        organization: 'M\u00fcller & S\u00f6hne',
      },
    });
    scratch.write('subject.pem', certificateToPem(certificate));
    const subject = scratch.run(
      'openssl',
      'x509',
      '-in',
      'subject.pem',
      '-noout',
      '-subject',
      '-nameopt',
      'utf8',
    );
    expect(subject.trim()).toBe('subject=C=DE, ST=Berlin, L=Berlin, O=M\u00fcller & S\u00f6hne, CN=A');
    expect(certificate.issuer.toString()).toBe('CN=Root,O=Example,C=DE');
  });

  test('say where revocation is to be asked', () => {
    const published = root.withPublication({
      ocsp: ['http://ocsp.example.com/'],
      crl: ['http://crl.example.com/a.crl'],
      deltaCrl: ['http://crl.example.com/delta.crl'],
      issuer: ['http://ca.example.com/root.cer'],
    });
    const { certificate } = published.issue({
      names: ['a.example.com'],
      purpose: 'server',
      mustStaple: true,
    });
    scratch.write('published.pem', certificateToPem(certificate));
    expect(verify('published.pem')).toContain('OK');
    const text = shown('published');
    expect(text).toMatch(/OCSP - URI:http:\/\/ocsp\.example\.com\//);
    expect(text).toMatch(/CA Issuers - URI:http:\/\/ca\.example\.com\/root\.cer/);
    expect(text).toMatch(/X509v3 CRL Distribution Points:[\s\S]+URI:http:\/\/crl\.example\.com\/a\.crl/);
    expect(text).toMatch(/X509v3 Freshest CRL:[\s\S]+URI:http:\/\/crl\.example\.com\/delta\.crl/);
    expect(text).toMatch(/TLS Feature:\s+status_request/);
    expect(ocspUrlsOf(certificate.extensions)).toEqual(['http://ocsp.example.com/']);
    expect(httpUrlsOf(distributionPointsOf(certificate.extensions))).toEqual([
      'http://crl.example.com/a.crl',
    ]);
  });

  describe('under an intermediate with name constraints', () => {
    const limited = root.issueAuthority({
      commonName: 'Limited',
      nameConstraints: {
        permitted: ['example.com', '192.0.2.0/24', '2001:db8::/33', '@example.com'],
        excluded: ['secret.example.com'],
      },
    });
    const outcome = (ca: CertificateAuthority, purpose: CertificatePurpose, name: string): string => {
      const { certificateChain } = ca.issue({ names: [name], purpose, commonName: 'x' });
      scratch.write('leaf.pem', certificateToPem(certificateChain[0]!));
      scratch.write('chain.pem', certificateToPem(...certificateChain.slice(1)));
      return verify('-untrusted', 'chain.pem', 'leaf.pem');
    };

    test.each<[CertificatePurpose, string]>([
      ['server', 'example.com'],
      ['server', 'a.b.example.com'],
      ['server', '192.0.2.200'],
      ['server', '2001:db8:7fff::1'],
      ['email', 'a@example.com'],
    ])('%s for %s is good', (purpose, name) => {
      expect(outcome(limited, purpose, name)).toContain('leaf.pem: OK');
    });

    test.each<[CertificatePurpose, string]>([
      ['server', 'example.org'],
      ['server', 'notexample.com'],
      ['server', 'secret.example.com'],
      ['server', 'a.secret.example.com'],
      ['server', '192.0.3.1'],
      ['server', '2001:db8:8000::1'],
      ['email', 'a@example.org'],
    ])('%s for %s is not', (purpose, name) => {
      expect(outcome(limited, purpose, name)).toMatch(
        /permitted subtree violation|excluded subtree violation/,
      );
    });

    test('a path may be as long as it says', () => {
      const one = root.issueAuthority({ commonName: 'One', pathLength: 1 });
      const two = one.issueAuthority({ commonName: 'Two' });
      expect(outcome(two, 'server', 'example.com')).toContain('leaf.pem: OK');
      const three = two.issueAuthority({ commonName: 'Three' });
      expect(outcome(three, 'server', 'example.com')).toMatch(/path length/);
    });
  });
});

describe('a CA refuses', () => {
  const root = createCertificateAuthority({ provider, commonName: 'Root' });

  test.each<[string, () => unknown]>([
    ['a mail certificate without an address', () => root.issue({ purpose: 'email', commonName: 'x' })],
    ['a mail certificate for a domain', () => root.issue({ purpose: 'email', names: ['example.com'] })],
    ['a gateway without a name', () => root.issue({ purpose: 'ike', commonName: 'x' })],
    ['a responder with a name', () => root.issue({ purpose: 'ocsp-responder', names: ['example.com'] })],
    [
      'a country that is none',
      () => root.issue({ purpose: 'server', names: ['a.test'], subject: { country: 'Germany' } }),
    ],
    [
      'an empty organization',
      () => root.issue({ purpose: 'server', names: ['a.test'], subject: { organization: '' } }),
    ],
    [
      'a constraint that is none',
      () => root.issueAuthority({ commonName: 'x', nameConstraints: { permitted: ['a b'] } }),
    ],
    [
      'an address without a mask',
      () => root.issueAuthority({ commonName: 'x', nameConstraints: { permitted: ['192.0.2.1'] } }),
    ],
    [
      'a mask that is too long',
      () => root.issueAuthority({ commonName: 'x', nameConstraints: { permitted: ['192.0.2.0/33'] } }),
    ],
    ['constraints without a name', () => root.issueAuthority({ commonName: 'x', nameConstraints: {} })],
  ])('%s', (_, action) => {
    expect(action).toThrow(RangeError);
  });
});
