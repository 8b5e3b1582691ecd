import { X509Certificate } from 'node:crypto';
import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { createSelfSignedCertificate } from './self-signed.ts';

describe('a self-signed certificate', () => {
  const names = ['one.test', '*.two.test', '192.0.2.1', '2001:db8::1'];
  const { certificate, privateKey } = createSelfSignedCertificate({ provider: nodeCrypto, names, days: 3 });

  test('is one for OpenSSL, with the names asked for', () => {
    const seen = new X509Certificate(certificate.der);
    expect(seen.issuer).toBe(seen.subject);
    expect(seen.verify(seen.publicKey)).toBe(true);
    expect(seen.ca).toBe(false);
    expect(seen.subjectAltName).toBe(
      'DNS:one.test, DNS:*.two.test, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
    );
    expect(Date.parse(seen.validTo) - Date.now()).toBeLessThan(3 * 86_400_000 + 1000);
    expect(Buffer.from(privateKey.publicKey.spki)).toEqual(
      seen.publicKey.export({ type: 'spki', format: 'der' }),
    );
  });

  test('holds further extensions as they are', () => {
    const extensions = [{ oid: '1.3.6.1.5.5.7.1.31', critical: true, value: Uint8Array.of(4, 1, 7) }];
    const made = createSelfSignedCertificate({ provider: nodeCrypto, names: ['a.test'], extensions });
    // OID, TRUE, OCTET STRING around the value.
    expect(toHex(made.certificate.der)).toContain('06082b0601050507011f' + '0101ff' + '0403040107');
  });

  test('needs a name, and one that can be', () => {
    const make = (...wanted: string[]) =>
      createSelfSignedCertificate({ provider: nodeCrypto, names: wanted });
    expect(() => make()).toThrow('a server certificate needs at least one name');
    expect(() => make('not a name')).toThrow(RangeError);
  });
});
