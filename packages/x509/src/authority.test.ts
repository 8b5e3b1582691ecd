import { X509Certificate } from 'node:crypto';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  loadCertificateAuthority,
} from './authority.ts';
import { CertificateError } from './errors.ts';
import { parsePrivateKey } from './load.ts';
import { matchesName } from './peer-name.ts';
import { certificateToPem, privateKeyToPem } from './pem.ts';
import { rfc5280Profile, webPkiProfile } from './profile.ts';
import { make, NOW, newKey } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { verifyCertificate } from './verify.ts';

const provider = nodeCrypto;
const authority = createCertificateAuthority({ provider, commonName: 'Test CA', at: NOW });
const DAY = 86_400_000;

test('what it issues satisfies the strictest profile, from the moment before to the last day', () => {
  const { certificate } = authority.issue({ names: ['example.com'], purpose: 'server', at: NOW });
  const trust = new TrustStore([authority.certificate]);
  const options = {
    provider,
    chain: [certificate],
    trust,
    purpose: 'server',
    name: { kind: 'dns', value: 'example.com' },
  } as const;
  for (const profile of [rfc5280Profile, webPkiProfile]) {
    verifyCertificate({ ...options, profile, at: new Date(NOW.getTime() - 3_500_000) });
    verifyCertificate({ ...options, profile, at: new Date(NOW.getTime() + 397 * DAY) });
    expect(() => verifyCertificate({ ...options, profile, at: new Date(NOW.getTime() + 398 * DAY) })).toThrow(
      'expired',
    );
  }
});

test.each<KeySpec>([
  { type: 'ec', curve: 'secp256r1' },
  { type: 'ec', curve: 'secp384r1' },
  { type: 'ec', curve: 'secp521r1' },
  { type: 'rsa', bits: 2048 },
  { type: 'ed25519' },
  { type: 'ed448' },
])('Node accepts what a CA with the key $type $curve issues', (key) => {
  const ca = createCertificateAuthority({ provider, commonName: 'CA', key });
  const { certificate, privateKey } = ca.issue({ names: ['example.com'], purpose: 'server', key });
  const theirs = new X509Certificate(certificate.der);
  const root = new X509Certificate(ca.certificate.der);
  expect(theirs.verify(root.publicKey)).toBe(true);
  expect(theirs.checkIssued(root)).toBe(true);
  expect(root.ca).toBe(true);
  expect(theirs.ca).toBe(false);
  expect(new X509Certificate(certificateToPem(certificate)).fingerprint256).toBe(theirs.fingerprint256);
  expect(privateKey!.publicKey.spki).toEqual(certificate.spki);
});

test('all kinds of names stand in the certificate, and Node finds them', () => {
  const names = [
    'Example.com',
    '*.example.com',
    'bücher.example',
    '192.0.2.1',
    '2001:db8::1',
    'a@example.com',
  ];
  const { certificate } = authority.issue({ names, purpose: 'server' });
  const theirs = new X509Certificate(certificate.der);
  expect(theirs.checkHost('example.com')).toBe('example.com');
  expect(theirs.checkHost('www.example.com')).toBe('*.example.com');
  expect(theirs.checkHost('xn--bcher-kva.example')).toBe('xn--bcher-kva.example');
  expect(theirs.checkIP('192.0.2.1')).toBe('192.0.2.1');
  expect(theirs.checkIP('2001:db8::1')).toBe('2001:db8::1');
  expect(theirs.checkEmail('a@example.com')).toBe('a@example.com');
  expect(matchesName(certificate, { kind: 'dns', value: 'bücher.example' })).toBe(true);
});

test('client and server certificates are for one purpose each', () => {
  const trust = new TrustStore([authority.certificate]);
  const purposes = ['server', 'client'] as const;
  for (const issued of purposes) {
    const { certificate } = authority.issue({
      commonName: 'someone',
      names: ['a.test'],
      purpose: issued,
      at: NOW,
    });
    for (const purpose of purposes) {
      const verify = (): unknown =>
        verifyCertificate({ provider, chain: [certificate], trust, at: NOW, purpose });
      if (purpose === issued) expect(verify()).toBeDefined();
      else expect(verify).toThrow(expect.objectContaining({ code: 'bad-extended-key-usage' }));
    }
  }
});

test('a public key of one’s own is used, and no private key comes back', () => {
  const key = newKey();
  const issued = authority.issue({ names: ['a.test'], purpose: 'server', publicKey: key.publicKey });
  expect(issued.privateKey).toBeUndefined();
  expect(issued.certificate.spki).toEqual(key.publicKey.spki);
});

test('serial numbers are positive, 20 bytes long and all different', () => {
  const serials = Array.from(
    { length: 20 },
    () =>
      authority.issue({ names: ['a.test'], purpose: 'server', publicKey: authority.privateKey.publicKey })
        .certificate.serialNumber,
  );
  for (const serial of serials) {
    expect(serial.length).toBe(20);
    expect(serial[0]! & 0x80).toBe(0);
  }
  expect(new Set(serials.map((serial) => serial.join())).size).toBe(20);
});

test('nothing outlives its CA', () => {
  const short = createCertificateAuthority({ provider, commonName: 'short', days: 10, at: NOW });
  const { certificate } = short.issue({
    names: ['a.test'],
    purpose: 'server',
    at: new Date(NOW.getTime() + 5 * DAY),
  });
  expect(certificate.notAfter).toEqual(short.certificate.notAfter);
});

test('a long first name leaves the subject empty and makes the alternative name critical', () => {
  const name = `${'a'.repeat(60)}.example.com`;
  const { certificate } = authority.issue({ names: [name], purpose: 'server' });
  expect(certificate.subject.isEmpty).toBe(true);
  expect(certificate.extensions.get('2.5.29.17')?.critical).toBe(true);
});

describe('an intermediate', () => {
  const intermediate = authority.issueAuthority({ commonName: 'Intermediate', at: NOW });
  const verify = (ca: CertificateAuthority): number => {
    const { certificateChain } = ca.issue({ names: ['a.test'], purpose: 'server', at: NOW });
    const trust = new TrustStore([authority.certificate]);
    return verifyCertificate({ provider, chain: certificateChain, trust, at: NOW, purpose: 'server' }).path
      .length;
  };

  test('issues chains without the root', () => {
    expect(verify(authority)).toBe(2);
    expect(verify(intermediate)).toBe(3);
    const { certificateChain } = intermediate.issue({ names: ['a.test'], purpose: 'server' });
    expect(certificateChain.map(({ subject }) => subject.commonName)).toEqual(['a.test', 'Intermediate']);
  });

  test('issues no CAs unless its path length says so', () => {
    expect(() => verify(intermediate.issueAuthority({ commonName: 'below', at: NOW }))).toThrow(
      expect.objectContaining({ code: 'path-too-long' }),
    );
    const roomy = authority.issueAuthority({ commonName: 'roomy', pathLength: 1, at: NOW });
    expect(verify(roomy.issueAuthority({ commonName: 'below', at: NOW }))).toBe(4);
  });

  test('comes back from PEM files with its chain', () => {
    const loaded = loadCertificateAuthority({
      provider,
      certificate: certificateToPem(intermediate.certificate, authority.certificate),
      privateKey: privateKeyToPem(intermediate.privateKey),
    });
    expect(verify(loaded)).toBe(3);
  });
});

describe('refuses', () => {
  test.each<[string, Parameters<CertificateAuthority['issue']>[0]]>([
    ['a server without a name', { purpose: 'server', commonName: 'a' }],
    ['a client without any name', { purpose: 'client' }],
    ['a name that is none', { purpose: 'server', names: ['a b'] }],
    ['a name with an injected one', { purpose: 'server', names: ['a.test\0b.test'] }],
    ['a wildcard inside', { purpose: 'server', names: ['a.*.test'] }],
    ['an empty name', { purpose: 'server', names: [''] }],
    ['a common name that is too long', { purpose: 'server', names: ['a.test'], commonName: 'x'.repeat(65) }],
    ['an empty common name', { purpose: 'server', names: ['a.test'], commonName: '' }],
    ['no days', { purpose: 'server', names: ['a.test'], days: 0 }],
    ['days that are no number', { purpose: 'server', names: ['a.test'], days: Number.NaN }],
  ])('%s', (_, request) => {
    expect(() => authority.issue(request)).toThrow(RangeError);
  });

  test('to be loaded from a leaf, or with another key', () => {
    const leaf = make();
    const load = (pem: string, key: typeof leaf.privateKey): unknown =>
      loadCertificateAuthority({ provider, certificate: pem, privateKey: privateKeyToPem(key) });
    expect(() => load(certificateToPem(leaf.certificate), leaf.privateKey)).toThrow(
      expect.objectContaining({ code: 'not-a-ca' }),
    );
    expect(() => load(certificateToPem(authority.certificate), leaf.privateKey)).toThrow(CertificateError);
  });
});

test('a key survives PEM', () => {
  const key = newKey();
  expect(parsePrivateKey(privateKeyToPem(key), provider).exportPkcs8()).toEqual(key.exportPkcs8());
});
