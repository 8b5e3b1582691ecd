import { describe, expect, test } from 'vitest';
import { make } from '../testing/make.ts';
import type { Certificate } from './certificate.ts';
import type { GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { matchesName, peerNameOf, verifyName } from './peer-name.ts';

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
