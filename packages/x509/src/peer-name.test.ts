import { describe, expect, test } from 'vitest';
import type { Certificate } from './certificate.ts';
import type { GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { matchesName, peerNameOf, verifyName } from './peer-name.ts';
import { make } from './testing/make.ts';

const certificateFor = (...names: GeneralName[]): Certificate => make({ subjectAltName: names }).certificate;
const dns = (value: string): GeneralName => ({ kind: 'dns', value });
const ip = (text: string): GeneralName => ({ kind: 'ip', bytes: parseIpAddress(text)! });

// RFC 9525 §6.3
test.each([
  ['example.com', 'example.com'],
  ['Example.COM', 'eXample.com'],
  ['example.com', 'example.com.'],
  ['*.example.com', 'www.example.com'],
  ['*.example.com', 'WWW.EXAMPLE.COM.'],
  ['*.example.com', 'xn--bcher-kva.example.com'],
  ['xn--bcher-kva.example', 'bücher.example'],
  ['xn--bcher-kva.example', 'BÜCHER.example'],
  ['xn--fiqs8s', '中国'],
  ['xn--bcher-kva.example', 'bu\u0308cher.example'],
  ['a_b.example.com', 'a_b.example.com'],
  ['localhost', 'localhost'],
])('a certificate for %s is one for %s', (presented, wanted) => {
  expect(matchesName(certificateFor(dns(presented)), { kind: 'dns', value: wanted })).toBe(true);
});

test.each([
  ['example.com', 'www.example.com'],
  ['www.example.com', 'example.com'],
  ['*.example.com', 'example.com'],
  ['*.example.com', 'a.b.example.com'],
  ['*.example.com', '.example.com'],
  ['*.example.com', '*.example.com'],
  ['*.example.com', 'wwwexample.com'],
  ['w*.example.com', 'www.example.com'],
  ['*w.example.com', 'www.example.com'],
  ['www.*.com', 'www.example.com'],
  ['*.*.com', 'www.example.com'],
  ['*.com', 'example.com'],
  ['*', 'localhost'],
  ['*.', 'a.'],
  ['xn--*.example.com', 'xn--bcher-kva.example.com'],
  ['example.com.', 'example.com'],
  ['example.com\0.evil.test', 'example.com'],
  ['example.com', 'example.com\0.evil.test'],
  ['example.com', 'example.com/'],
  ['example.com', 'bücher@example.com'],
  ['example.com', 'ü:80#example.com'],
  ['example.com', ''],
  ['example.com', '.'],
  ['example.com', 'example..com'],
  ['192.0.2.1', '192.0.2.1'],
  ['1.1', '1.1\u3002'],
])('a certificate for %j is none for %j', (presented, wanted) => {
  expect(matchesName(certificateFor(dns(presented)), { kind: 'dns', value: wanted })).toBe(false);
});

describe('addresses', () => {
  test('are compared as bytes, whatever their spelling', () => {
    const certificate = certificateFor(ip('192.0.2.1'), ip('2001:db8::1'));
    for (const value of ['192.0.2.1', '2001:db8::1', '2001:0DB8:0:0::1', '[2001:db8::1]'])
      expect(matchesName(certificate, { kind: 'ip', value })).toBe(true);
    for (const value of ['192.0.2.2', '2001:db8::2', '::ffff:192.0.2.1', '3221225985', 'example.com', ''])
      expect(matchesName(certificate, { kind: 'ip', value })).toBe(false);
  });

  test('stand in iPAddress only', () => {
    expect(matchesName(certificateFor(dns('192.0.2.1')), { kind: 'ip', value: '192.0.2.1' })).toBe(false);
    expect(matchesName(certificateFor(ip('192.0.2.1')), { kind: 'dns', value: '192.0.2.1' })).toBe(false);
  });
});

test('neither the common name nor other kinds of names count', () => {
  const { certificate } = make({ subject: 'example.com', subjectAltName: undefined });
  expect(matchesName(certificate, { kind: 'dns', value: 'example.com' })).toBe(false);
  const uri = certificateFor(
    { kind: 'uri', value: 'https://example.com' },
    { kind: 'email', value: 'example.com' },
  );
  expect(matchesName(uri, { kind: 'dns', value: 'example.com' })).toBe(false);
});

test('the error names who the certificate is for', () => {
  const certificate = certificateFor(dns('a.example'), ip('192.0.2.1'));
  expect(() => verifyName(certificate, { kind: 'dns', value: 'b.example' })).toThrow(
    expect.objectContaining({
      code: 'name-mismatch',
      certificate,
      message: expect.stringMatching(/not for b\.example but for DNS:a\.example, IP:192\.0\.2\.1/),
    }),
  );
  verifyName(certificate, { kind: 'dns', value: 'a.example' });
});

test('a host as users write it is an address or a domain', () => {
  expect(peerNameOf('192.0.2.1').kind).toBe('ip');
  expect(peerNameOf('[::1]').kind).toBe('ip');
  expect(peerNameOf('example.com').kind).toBe('dns');
  expect(peerNameOf('1.2.3.4.5').kind).toBe('dns');
});

describe('mail addresses (RFC 9598 §5)', () => {
  const email = (value: string): GeneralName => ({ kind: 'email', value });

  test.each([
    ['user@example.com', 'user@example.com'],
    ['user@EXAMPLE.com', 'user@example.COM'],
    ['User@example.com', 'User@example.com'],
    ['user@xn--bcher-kva.example', 'user@b\u00fccher.example'],
    ['\u8001\u5e2b@example.com', '\u8001\u5e2b@example.com'],
    ['\u8001\u5e2b@xn--bcher-kva.example', '\u8001\u5e2b@b\u00fccher.example'],
  ])('%s is %s', (presented, wanted) => {
    expect(matchesName(certificateFor(email(presented)), { kind: 'email', value: wanted })).toBe(true);
  });

  test.each([
    ['user@example.com', 'USER@example.com'],
    ['user@example.com', 'other@example.com'],
    ['user@example.com', 'user@www.example.com'],
    ['user@example.com', 'example.com'],
    ['user@example.com', '@example.com'],
    ['user@example.com', 'user@example.com@example.com'],
    ['example.com', 'user@example.com'],
    ['user@*.example.com', 'user@www.example.com'],
    ['*@example.com', 'user@example.com'],
    ['a@user@example.com', 'user@example.com'],
    ['"user"@example.com', 'user@example.com'],
    // No normalization of the local part: e with an accent, in one code point and in two.
    ['\u00e9@example.com', 'e\u0301@example.com'],
    ['us er@example.com', 'us er@example.com'],
  ])('%s is not %s', (presented, wanted) => {
    expect(matchesName(certificateFor(email(presented)), { kind: 'email', value: wanted })).toBe(false);
  });

  test('a domain in another script has no place in a certificate', () => {
    const certificate = certificateFor(email('\u8001\u5e2b@b\u00fccher.example'));
    expect(matchesName(certificate, { kind: 'email', value: '\u8001\u5e2b@b\u00fccher.example' })).toBe(
      false,
    );
  });

  test('stand in alternative names only', () => {
    const certificate = certificateFor({ kind: 'dns', value: 'example.com' });
    expect(matchesName(certificate, { kind: 'email', value: 'user@example.com' })).toBe(false);
  });
});

describe('URIs (RFC 9525 §6.5)', () => {
  const uri = (value: string): GeneralName => ({ kind: 'uri', value });

  test.each([
    ['sip:voice.example.com', 'sip:voice.example.com'],
    ['SIP:Voice.Example.com', 'sip:voice.example.com'],
    ['sip:voice.example.com;transport=tls', 'sip:voice.example.com'],
    ['https://example.com/path', 'https://example.com'],
    ['https://example.com', 'https://example.com/'],
    ['spiffe://example.com/ns/a', 'spiffe://example.com/ns/a'],
    ['spiffe://example.com/ns/a', 'spiffe://example.com'],
  ])('%s is %s', (presented, wanted) => {
    expect(matchesName(certificateFor(uri(presented)), { kind: 'uri', value: wanted })).toBe(true);
  });

  test.each([
    ['sip:voice.example.com', 'sips:voice.example.com'],
    ['sip:voice.example.com', 'sip:other.example.com'],
    ['sip:*.example.com', 'sip:voice.example.com'],
    ['spiffe://example.com/ns/a', 'spiffe://example.com/ns/b'],
    ['spiffe://example.com/ns/a', 'spiffe://example.com/NS/a'],
    ['spiffe://example.com', 'spiffe://example.com/ns/a'],
    ['https://user@example.com', 'https://other@example.com'],
    ['https://192.0.2.1/', 'https://192.0.2.1/'],
    ['https://[2001:db8::1]/', 'https://[2001:db8::1]/'],
    ['https://example.com', 'example.com'],
    ['https://evil.test#@example.com', 'https://example.com'],
    ['https://evil.test\\@example.com', 'https://example.com'],
    ['urn:uuid:0', 'urn:uuid:0'],
  ])('%s is not %s', (presented, wanted) => {
    expect(matchesName(certificateFor(uri(presented)), { kind: 'uri', value: wanted })).toBe(false);
  });
});

test('a wildcard right under a public suffix stands for nothing, where the suffixes are known', () => {
  const certificate = certificateFor(dns('*.co.uk'), dns('*.example.org'));
  const isPublicSuffix = (domain: string): boolean => domain === 'co.uk';
  expect(matchesName(certificate, { kind: 'dns', value: 'example.co.uk' })).toBe(true);
  expect(matchesName(certificate, { kind: 'dns', value: 'example.co.uk' }, { isPublicSuffix })).toBe(false);
  expect(matchesName(certificate, { kind: 'dns', value: 'www.example.org' }, { isPublicSuffix })).toBe(true);
});

describe('the common name counts only where it is dangerously allowed', () => {
  const options = { dangerouslyAllowCommonName: true };
  const named = (subject: string, ...names: GeneralName[]): Certificate =>
    make({ subject, subjectAltName: names.length === 0 ? undefined : names }).certificate;

  test.each([
    ['example.com', 'dns', 'example.com'],
    ['*.example.com', 'dns', 'www.example.com'],
    ['192.0.2.1', 'ip', '192.0.2.1'],
  ] as const)('%s as %s:%s', (subject, kind, value) => {
    expect(matchesName(named(subject), { kind, value }, options)).toBe(true);
    expect(matchesName(named(subject), { kind, value })).toBe(false);
  });

  test('and even then not beside alternative names, and not as anything else', () => {
    expect(
      matchesName(named('example.com', dns('example.org')), { kind: 'dns', value: 'example.com' }, options),
    ).toBe(false);
    expect(matchesName(named('Some One'), { kind: 'dns', value: 'Some One' }, options)).toBe(false);
    expect(
      matchesName(named('user@example.com'), { kind: 'email', value: 'user@example.com' }, options),
    ).toBe(false);
    expect(matchesName(named('192.0.2.1'), { kind: 'dns', value: '192.0.2.1' }, options)).toBe(false);
  });
});
