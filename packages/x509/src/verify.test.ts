import { der } from '@testudo/codec';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test, vi } from 'vitest';
import { Certificate } from './certificate.ts';
import { DistinguishedName } from './distinguished-name.ts';
import { CertificateError } from './errors.ts';
import { ExtensionOid, KeyPurposeOid } from './oids.ts';
import { compatibleProfile } from './profile.ts';
import { extension, type Made, make, makeAuthority, NOW } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { type VerifyOptions, verifyCertificate } from './verify.ts';

type Options = Partial<Omit<VerifyOptions, 'trust' | 'chain'>>;

const verify = (
  chain: readonly Made[],
  roots: readonly Made[],
  options: Options = {},
): readonly Certificate[] =>
  verifyCertificate({
    provider: nodeCrypto,
    chain: chain.map(({ certificate }) => certificate),
    trust: new TrustStore(roots.map(({ certificate }) => certificate)),
    at: NOW,
    purpose: 'server',
    ...options,
  }).path;

const refusal = (chain: readonly Made[], roots: readonly Made[], options?: Options): CertificateError => {
  try {
    verify(chain, roots, options);
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
  throw new Error('the chain was accepted');
};

const certificates = (made: readonly Made[]): Certificate[] => made.map(({ certificate }) => certificate);

const root = makeAuthority();
const intermediate = makeAuthority({ subject: 'intermediate', by: root });
const leaf = make({ by: intermediate });

describe('a path is found', () => {
  test('through an intermediate', () => {
    expect(verify([leaf, intermediate], [root])).toEqual(certificates([leaf, intermediate, root]));
  });

  test('whatever the order, with roots and strangers in between', () => {
    const second = makeAuthority({ subject: 'second', by: intermediate });
    const end = make({ by: second });
    const stranger = makeAuthority({ subject: 'stranger' });
    expect(verify([end, root, stranger, intermediate, second, end, intermediate], [stranger, root])).toEqual(
      certificates([end, second, intermediate, root]),
    );
  });

  test.each<[string, KeySpec]>([
    ['P-256', { type: 'ec', curve: 'secp256r1' }],
    ['P-384', { type: 'ec', curve: 'secp384r1' }],
    ['P-521', { type: 'ec', curve: 'secp521r1' }],
    ['RSA', { type: 'rsa', bits: 2048 }],
    ['Ed25519', { type: 'ed25519' }],
    ['Ed448', { type: 'ed448' }],
  ])('with signatures of %s', (_, spec) => {
    const authority = makeAuthority({ privateKey: nodeCrypto.generateKey(spec) });
    const end = make({ by: authority });
    expect(verify([end], [authority])).toHaveLength(2);
  });

  test('around an expired intermediate with the same name and key', () => {
    const expired = makeAuthority({
      subject: 'intermediate',
      by: root,
      privateKey: intermediate.privateKey,
      notAfter: new Date('2025-06-01'),
    });
    expect(verify([leaf, expired, intermediate], [root])).toHaveLength(3);
  });

  test('through a cross-signed root, to the one that is trusted', () => {
    const old = makeAuthority({ subject: 'old root' });
    const cross = makeAuthority({ subject: 'root', by: old, privateKey: root.privateKey });
    expect(verify([leaf, intermediate, cross], [old])).toEqual(
      certificates([leaf, intermediate, cross, old]),
    );
    expect(verify([leaf, intermediate, cross], [old, root])).toHaveLength(3);
  });

  test('past CAs that sign for each other in a circle', () => {
    const a = makeAuthority({ subject: 'a' });
    const b = makeAuthority({ subject: 'b' });
    const aByB = makeAuthority({ subject: 'a', by: b, privateKey: a.privateKey });
    const bByA = makeAuthority({ subject: 'b', by: a, privateKey: b.privateKey });
    const bByRoot = makeAuthority({ subject: 'b', by: root, privateKey: b.privateKey });
    const end = make({ by: a });
    expect(verify([end, aByB, bByA, bByRoot], [root])).toHaveLength(4);
    expect(refusal([end, aByB, bByA], [root]).code).toBe('unknown-issuer');
  });

  test('past another CA of the same name, and the signature that fits is told by the key identifier first', () => {
    const twin = makeAuthority();
    const checked = vi.spyOn(nodeCrypto, 'verify');
    try {
      expect(verify([leaf, intermediate], [twin, root])).toHaveLength(3);
      expect(checked).toHaveBeenCalledTimes(2);
    } finally {
      checked.mockRestore();
    }
  });

  test('of one certificate, when the leaf itself is trusted', () => {
    const own = make();
    expect(verify([own], [own])).toEqual([own.certificate]);
    expect(verify([leaf], [leaf])).toEqual([leaf.certificate]);
  });

  test('for a name, a client, and a key that encrypts', () => {
    expect(
      verify([leaf, intermediate], [root], { name: { kind: 'dns', value: 'example.com' } }),
    ).toHaveLength(3);
    const client = make({
      by: root,
      extendedKeyUsage: [KeyPurposeOid.clientAuth],
      keyUsage: ['keyEncipherment'],
    });
    expect(verify([client], [root], { purpose: 'client', leafKeyUsage: 'keyEncipherment' })).toHaveLength(2);
  });

  test('in the first and in the last second', () => {
    expect(verify([leaf, intermediate], [root], { at: new Date('2025-01-01T00:00:00Z') })).toHaveLength(3);
    expect(verify([leaf, intermediate], [root], { at: new Date('2027-01-01T00:00:00.999Z') })).toHaveLength(
      3,
    );
  });

  test('where a root says only its name and key (version 1)', () => {
    const old = withoutExtensions(makeAuthority({ subject: 'v1 root' }));
    expect(verify([make({ by: old })], [old])).toHaveLength(2);
  });
});

describe('refuses with the code', () => {
  const critical = extension('1.2.3.4', true, der.nullValue());
  const cases: [string, string, () => CertificateError][] = [
    [
      'expired',
      'a leaf',
      () => refusal([leaf, intermediate], [root], { at: new Date('2027-01-01T00:00:01Z') }),
    ],
    ['expired', 'an intermediate', () => refusal(under({ notAfter: new Date('2025-06-01') }), [root])],
    ['expired', 'a root', () => refusalOfRoot({ notAfter: new Date('2025-06-01') })],
    ['expired', 'a pinned leaf', () => refusal([leaf], [leaf], { at: new Date('2028-01-01') })],
    [
      'not-yet-valid',
      'a leaf',
      () => refusal([leaf, intermediate], [root], { at: new Date('2024-12-31T23:59:59.999Z') }),
    ],
    ['not-yet-valid', 'an intermediate', () => refusal(under({ notBefore: new Date('2026-06-01') }), [root])],
    ['unknown-issuer', 'no certificate', () => refusal([], [root])],
    ['unknown-issuer', 'a missing intermediate', () => refusal([leaf], [root])],
    [
      'unknown-issuer',
      'an untrusted root',
      () => refusal([leaf, intermediate, root], [makeAuthority({ subject: 'other' })]),
    ],
    ['unknown-issuer', 'an empty trust store', () => refusal([leaf, intermediate], [])],
    ['self-signed', 'a leaf', () => refusal([make()], [root])],
    ['bad-signature', 'a leaf of an impostor', () => refusal([make({ by: makeAuthority() })], [root])],
    ['bad-signature', 'an altered leaf', () => refusal([altered(make({ by: root }))], [root])],
    [
      'weak-key',
      'a leaf',
      () =>
        refusal(
          [make({ by: root, privateKey: nodeCrypto.generateKey({ type: 'rsa', bits: 1024 }) })],
          [root],
        ),
    ],
    [
      'weak-key',
      'a root',
      () => refusalOfRoot({ privateKey: nodeCrypto.generateKey({ type: 'rsa', bits: 1024 }) }),
    ],
    [
      'name-mismatch',
      'a leaf',
      () => refusal([leaf, intermediate], [root], { name: { kind: 'dns', value: 'example.org' } }),
    ],
    [
      'not-a-ca',
      'a leaf that issues',
      () => refusal([make({ by: leaf, subject: 'evil' }), leaf, intermediate], [root]),
    ],
    ['not-a-ca', 'no basicConstraints', () => refusal(under({ ca: undefined }), [root])],
    ['not-a-ca', 'a root', () => refusalOfRoot({ ca: false })],
    ['path-too-long', 'pathLenConstraint of a root', () => refusalOfRoot({ pathLength: 0 }, 1)],
    [
      'path-too-long',
      'pathLenConstraint of an intermediate',
      () => {
        const first = makeAuthority({ subject: 'first', by: root, pathLength: 0 });
        const second = makeAuthority({ subject: 'second', by: first, pathLength: 5 });
        return refusal([make({ by: second }), second, first], [root]);
      },
    ],
    [
      'path-too-long',
      'the depth budget',
      () => refusal([leaf, intermediate], [root], { budgets: { depth: 0 } }),
    ],
    ['bad-key-usage', 'a leaf', () => refusal([make({ by: root, keyUsage: ['keyAgreement'] })], [root])],
    [
      'bad-key-usage',
      'an intermediate',
      () => refusal(under({ keyUsage: ['digitalSignature', 'cRLSign'] }), [root]),
    ],
    [
      'bad-extended-key-usage',
      'a client as a server',
      () => refusal([make({ by: root, extendedKeyUsage: [KeyPurposeOid.clientAuth] })], [root]),
    ],
    [
      'bad-extended-key-usage',
      'a server as a client',
      () => refusal([leaf, intermediate], [root], { purpose: 'client' }),
    ],
    [
      'bad-extended-key-usage',
      'any purpose, in a leaf',
      () => refusal([make({ by: root, extendedKeyUsage: [KeyPurposeOid.any] })], [root]),
    ],
    [
      'bad-extended-key-usage',
      'an intermediate',
      () => refusal(under({ extendedKeyUsage: [KeyPurposeOid.emailProtection] }), [root]),
    ],
    ['unknown-critical-extension', 'a leaf', () => refusal([make({ by: root, others: [critical] })], [root])],
    ['unknown-critical-extension', 'an intermediate', () => refusal(under({ others: [critical] }), [root])],
    ['unknown-critical-extension', 'a root', () => refusalOfRoot({ others: [critical] })],
    [
      'policy',
      'policy constraints that nothing meets',
      () =>
        refusal(
          under({
            others: [
              extension(ExtensionOid.policyConstraints, true, der.sequence(der.implicit(0, der.integer(0)))),
            ],
          }),
          [root],
        ),
    ],
    ['unsupported-version', 'a leaf', () => refusal([withoutExtensions(make({ by: root }), root)], [root])],
    ['malformed', 'an empty subjectAltName', () => refusal([make({ by: root, subjectAltName: [] })], [root])],
    [
      'malformed',
      'an extension in an intermediate',
      () =>
        refusal(
          under({
            ca: undefined,
            others: [
              extension(ExtensionOid.basicConstraints, true, der.sequence(der.integer(1), der.boolean(true))),
            ],
          }),
          [root],
        ),
    ],
    [
      'malformed',
      'a CA without a name',
      () => {
        const nameless = makeAuthority({ subject: DistinguishedName.empty, by: root });
        return refusal([make({ by: nameless }), nameless], [root]);
      },
    ],
    [
      'malformed',
      'a key that is none',
      () => {
        const key = {
          kind: { type: 'ec', curve: 'secp256r1' } as const,
          spki: der.sequence(
            der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7')),
            der.bitString(Uint8Array.of(4)),
          ),
        };
        return refusal([make({ by: root, publicKey: key })], [root]);
      },
    ],
    [
      'profile-violation',
      'a rule of a profile',
      () =>
        refusal(under({ serialNumber: new Uint8Array(21).fill(1) }), [root], {
          profile: { ...compatibleProfile, rules: ['serial-number'] },
        }),
    ],
    ['budget-exceeded', 'steps', () => refusal([leaf, intermediate], [root], { budgets: { steps: 1 } })],
    [
      'budget-exceeded',
      'signatures',
      () => refusal([leaf, intermediate], [root], { budgets: { signatures: 1 } }),
    ],
  ];
  test.each(cases)('%s: %s', (code, _, run) => {
    const error = run();
    expect(error.code).toBe(code);
    if (
      code !== 'budget-exceeded' &&
      error.message !== 'the peer sent no certificate; configure one on its side'
    )
      expect(error.certificate).toBeInstanceOf(Certificate);
  });
});

test('an intermediate whose names cannot be read is passed over', () => {
  const unreadable = new DistinguishedName(der.sequence(der.setOf()));
  const odd = make({ subject: unreadable, ca: true, by: root });
  expect(verify([leaf, odd, intermediate], [root])).toHaveLength(3);
  const strange: Made = { ...root, certificate: { subject: unreadable } as Certificate };
  const crossed = makeAuthority({
    subject: 'intermediate',
    by: strange,
    privateKey: intermediate.privateKey,
  });
  expect(verify([leaf, crossed, intermediate], [root])).toHaveLength(3);
  expect(refusal([make({ by: strange })], [root]).code).toBe('malformed');
});

test('messages show names in one line of bounded length', () => {
  const subject = DistinguishedName.ofCommonName(`a\u202e\n\u001b[31m${'x'.repeat(5000)}`);
  const { message } = refusal([make({ subject, by: root, notAfter: NOW })], [root], {
    at: new Date('2026-02-01'),
  });
  expect(message).toContain('a\\e2\\80\\ae\\0a\\1b[31mxxx');
  expect(message.length).toBeLessThan(300);
});

test('any purpose in an intermediate, and self-issued intermediates, do no harm', () => {
  expect(verify(under({ extendedKeyUsage: [KeyPurposeOid.any] }), [root])).toHaveLength(3);
  const first = makeAuthority({ subject: 'rollover', by: root, pathLength: 0 });
  const second = makeAuthority({ subject: 'rollover', by: first });
  expect(verify([make({ by: second }), second, first], [root])).toHaveLength(4);
});

test('the most specific reason wins: an expired intermediate says more than an unknown root', () => {
  const expired = makeAuthority({
    subject: 'intermediate',
    by: root,
    privateKey: intermediate.privateKey,
    notAfter: new Date('2025-06-01'),
  });
  const elsewhere = makeAuthority({
    subject: 'intermediate',
    by: makeAuthority({ subject: 'x' }),
    privateKey: intermediate.privateKey,
  });
  for (const bag of [
    [expired, elsewhere],
    [elsewhere, expired],
  ]) {
    const error = refusal([leaf, ...bag], [root]);
    expect(error.code).toBe('expired');
    expect(error.certificate).toBe(expired.certificate);
  }
});

test('the same link is verified once, however many paths cross it', () => {
  const keys = Array.from({ length: 4 }, () => makeAuthority({ subject: 'many' }));
  // Every one of these signs every other one: the number of paths is exponential, the number of links is not.
  const mesh = keys.flatMap((by) =>
    keys.map(({ privateKey }) => makeAuthority({ subject: 'many', by, privateKey })),
  );
  const error = refusal([make({ by: keys[0]! }), ...mesh], [root]);
  expect(['unknown-issuer', 'bad-signature', 'budget-exceeded', 'path-too-long']).toContain(error.code);
});

test('a hundred intermediates cost no more than the budgets', () => {
  const chain: Made[] = [makeAuthority({ subject: 'ca 0' })];
  for (let i = 1; i < 100; i++) chain.push(makeAuthority({ subject: `ca ${i}`, by: chain[i - 1] }));
  const checked = vi.spyOn(nodeCrypto, 'verify');
  try {
    expect(refusal([make({ by: chain.at(-1)! }), ...chain], [root]).code).toBe('path-too-long');
    expect(checked.mock.calls.length).toBeLessThanOrEqual(9);
  } finally {
    checked.mockRestore();
  }
});

/** A leaf under an intermediate that is made with `options`. */
function under(options: Parameters<typeof makeAuthority>[0]): Made[] {
  const authority = makeAuthority({ subject: 'odd', by: root, ...options });
  return [make({ by: authority }), authority];
}

function refusalOfRoot(
  options: Parameters<typeof makeAuthority>[0],
  intermediates: 0 | 1 = 0,
): CertificateError {
  const odd = makeAuthority(options);
  const between = intermediates === 1 ? makeAuthority({ subject: 'between', by: odd }) : odd;
  return refusal([make({ by: between }), between], [odd]);
}

/** The last byte of what is signed is another one: the end of subjectAltName. */
function altered({ certificate, privateKey }: Made): Made {
  const bytes = certificate.der.slice();
  const end = certificate.tbs.byteOffset - certificate.der.byteOffset + certificate.tbs.length;
  const at = bytes.subarray(0, end).lastIndexOf('m'.charCodeAt(0));
  bytes[at] = 'n'.charCodeAt(0);
  return { certificate: Certificate.parse(bytes), privateKey };
}

/** The same in version 1, signed again. */
function withoutExtensions({ certificate, privateKey }: Made, by: Made = { certificate, privateKey }): Made {
  const tbs = der.sequence(
    der.unsigned(certificate.serialNumber),
    certificate.signatureAlgorithm.der,
    certificate.issuer.der,
    der.sequence(der.time(certificate.notBefore), der.time(certificate.notAfter)),
    certificate.subject.der,
    certificate.spki,
  );
  const signature = nodeCrypto.sign({ name: 'ecdsa', hash: 'sha256' }, by.privateKey, tbs);
  const bytes = der.sequence(tbs, certificate.signatureAlgorithm.der, der.bitString(signature));
  return { certificate: Certificate.parse(bytes), privateKey };
}
