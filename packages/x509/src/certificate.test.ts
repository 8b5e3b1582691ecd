import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { DerReader, der, Tag, toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import { parseCertificates } from './load.ts';
import { systemRoots } from './node/system-roots.ts';
import { ExtensionOid } from './oids.ts';
import { rfc5280Profile, webPkiProfile } from './profile.ts';
import { extension, make, makeAuthority, NOW, nameConstraints } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { verifyCertificate } from './verify.ts';

test('Node reads the same from each of its own roots', () => {
  for (const pem of rootCertificates) {
    const [ours] = parseCertificates(pem);
    const theirs = new X509Certificate(pem);
    expect(ours!.der).toEqual(new Uint8Array(theirs.raw));
    expect(ours!.notBefore).toEqual(new Date(theirs.validFrom));
    expect(ours!.notAfter).toEqual(new Date(theirs.validTo));
    expect(BigInt(`0x${toHex(ours!.serialNumber)}`)).toBe(BigInt(`0x${theirs.serialNumber}`));
    expect(ours!.spki).toEqual(new Uint8Array(theirs.publicKey.export({ format: 'der', type: 'spki' })));
    expect(ours!.extensions.basicConstraints?.ca ?? theirs.ca).toBe(theirs.ca);
    expect(ours!.isSelfIssued).toBe(theirs.checkIssued(theirs));
  }
});

test('all of them are in the system’s store, once parsed', () => {
  expect(systemRoots().size).toBe(new Set(rootCertificates).size);
  expect(systemRoots()).toBe(systemRoots());
});

test('bytes are views, and keys are remembered', () => {
  const bytes = make().certificate.der.slice();
  const certificate = Certificate.parse(bytes);
  for (const view of [certificate.tbs, certificate.spki, certificate.signature, certificate.serialNumber])
    expect(view.buffer).toBe(bytes.buffer);
  expect(certificate.publicKey(nodeCrypto)).toBe(certificate.publicKey(nodeCrypto));
  expect(certificate.extensions.subjectAltName).toBe(certificate.extensions.subjectAltName);
});

describe('malformed:', () => {
  const good = make().certificate;
  const rebuilt = (change: (parts: Uint8Array[]) => Uint8Array[]): Uint8Array => {
    const tbs = der.sequence(...change(partsOf(good.tbs)));
    return der.sequence(tbs, good.signatureAlgorithm.der, der.bitString(good.signature));
  };

  test('the parts as they were are a certificate', () => {
    expect(Certificate.parse(rebuilt((parts) => parts)).equals(good)).toBe(true);
  });

  test.each<[string, (parts: Uint8Array[]) => Uint8Array[]]>([
    ['version 1 stated explicitly', (parts) => parts.with(0, der.explicit(0, der.integer(0)))],
    ['version 4', (parts) => parts.with(0, der.explicit(0, der.integer(3)))],
    ['extensions in version 2', (parts) => parts.with(0, der.explicit(0, der.integer(1)))],
    ['extensions in version 1', (parts) => parts.slice(1)],
    ['an empty list of extensions', (parts) => parts.with(-1, der.explicit(3, der.sequence()))],
    [
      'an extension twice',
      (parts) =>
        parts.with(
          -1,
          der.explicit(
            3,
            der.sequence(
              ...Array.from({ length: 2 }, () => der.sequence(der.oid('1.2.3'), der.octetString())),
            ),
          ),
        ),
    ],
    ['another algorithm inside', (parts) => parts.with(2, der.sequence(der.oid('1.2.840.10045.4.3.3')))],
    ['no serial number', (parts) => parts.toSpliced(1, 1)],
    ['one time only', (parts) => parts.with(4, der.sequence(der.time(NOW)))],
    ['a field too many', (parts) => [...parts, der.nullValue()]],
    ['no extensions where something else stands', (parts) => parts.with(-1, der.nullValue())],
  ])('%s', (_, change) => {
    expect(() => Certificate.parse(rebuilt(change))).toThrow(
      expect.objectContaining({ name: 'CertificateError', code: 'malformed' }),
    );
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['NULL', der.nullValue()],
    [
      'a signature of part of a byte',
      der.sequence(good.tbs, good.signatureAlgorithm.der, der.bitString(Uint8Array.of(0x80), 1)),
    ],
    [
      'a field after the signature',
      der.sequence(good.tbs, good.signatureAlgorithm.der, der.bitString(good.signature), der.nullValue()),
    ],
  ])('%s', (_, bytes) => {
    expect(() => Certificate.parse(bytes)).toThrow(CertificateError);
  });
});

test.each<[keyof typeof ExtensionOid, Uint8Array]>([
  ['keyUsage', der.namedBits([])],
  ['keyUsage', der.octetString()],
  ['extendedKeyUsage', der.sequence()],
  ['subjectAltName', der.sequence()],
  ['subjectAltName', der.sequence(der.utf8String('example.com'))],
  ['subjectAltName', der.sequence(der.implicit(2, der.octetString(Uint8Array.of(0xe9))))],
  ['subjectAltName', der.sequence(der.implicit(7, der.octetString(new Uint8Array(5))))],
  ['basicConstraints', der.sequence(der.boolean(true), der.integer(-1))],
  ['basicConstraints', der.boolean(true)],
  ['authorityKeyIdentifier', der.sequence(der.octetString())],
])('a malformed %s is refused when asked for', (name, value) => {
  const { certificate } = make({
    keyUsage: undefined,
    extendedKeyUsage: undefined,
    subjectAltName: undefined,
    ca: undefined,
    authorityKeyIdentifier: undefined,
    others: [extension(ExtensionOid[name], false, value)],
  });
  expect(() => certificate.extensions[name as 'keyUsage']).toThrow(
    expect.objectContaining({ code: 'malformed' }),
  );
});

test('altered certificates give typed errors only, or another certificate, in bounded time', () => {
  const root = makeAuthority({
    others: [
      nameConstraints(
        [{ kind: 'dns', value: 'example.com' }],
        [{ kind: 'directory', name: make().certificate.subject }],
      ),
    ],
  });
  const intermediate = makeAuthority({ subject: 'intermediate', by: root });
  const leaf = make({
    by: intermediate,
    subjectAltName: [
      { kind: 'dns', value: 'example.com' },
      { kind: 'email', value: 'a@example.com' },
      { kind: 'uri', value: 'https://example.com' },
    ],
  });
  const originals = [root, intermediate, leaf].map(({ certificate }) => certificate);
  const change = fc.record({
    which: fc.nat(2),
    at: fc.nat(2000),
    kind: fc.constantFrom('flip', 'set', 'insert', 'delete'),
    value: fc.nat(255),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const bytes = originals.map(({ der: original }) => [...original]);
      for (const { which, at, kind, value } of changes) {
        const target = bytes[which]!;
        const place = at % target.length;
        if (kind === 'flip') target[place]! ^= 1 << (value & 7);
        else if (kind === 'set') target[place] = value;
        else if (kind === 'insert') target.splice(place, 0, value);
        else target.splice(place, 1);
      }
      try {
        const [top, ...rest] = bytes.map((one) => Certificate.parse(Uint8Array.from(one))) as [
          Certificate,
          Certificate,
          Certificate,
        ];
        for (const certificate of [top, ...rest]) touchEverything(certificate);
        for (const profile of [rfc5280Profile, webPkiProfile])
          verifyCertificate({
            provider: nodeCrypto,
            chain: rest.toReversed(),
            trust: new TrustStore([top]),
            at: NOW,
            purpose: 'server',
            name: { kind: 'dns', value: 'example.com' },
            profile,
          });
        // What the signatures cover is as it was; the rest may differ where nobody looks.
        expect(rest.map(({ tbs }) => tbs)).toEqual(originals.slice(1).map(({ tbs }) => tbs));
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
      }
    }),
    { numRuns: 3000, interruptAfterTimeLimit: 10_000 },
  );
});

function touchEverything(certificate: Certificate): void {
  const { extensions } = certificate;
  const names = [
    'keyUsage',
    'extendedKeyUsage',
    'subjectAltName',
    'basicConstraints',
    'nameConstraints',
    'subjectKeyIdentifier',
    'authorityKeyIdentifier',
    'unknownCritical',
  ] as const;
  for (const name of names) void extensions[name];
  `${certificate.subject} ${certificate.issuer.key}`;
  certificate.publicKey(nodeCrypto);
}

function partsOf(tbs: Uint8Array): Uint8Array[] {
  const inner = new DerReader(tbs).enter(Tag.sequence);
  const parts: Uint8Array[] = [];
  while (inner.remaining > 0) parts.push(inner.whole());
  return parts;
}
