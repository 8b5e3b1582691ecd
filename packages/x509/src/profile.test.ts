import { der } from '@testudo/codec';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { CertificateError, type CertificateErrorCode } from './errors.ts';
import { ExtensionOid, KeyPurposeOid } from './oids.ts';
import {
  clientAuthProfile,
  compatibleProfile,
  ikeProfile,
  PROFILES,
  smimeProfile,
  type VerificationProfile,
  webPkiProfile,
} from './profile.ts';
import type { ProfileRuleName } from './profile-rules.ts';
import { extension, type Made, type MakeOptions, make, makeAuthority, NOW } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { type VerifyOptions, verifyCertificate } from './verify.ts';

type Outcome = 'accepted' | CertificateErrorCode;

const root = makeAuthority();

function outcome(leaf: Made, options: Partial<VerifyOptions>, by: Made = root): Outcome {
  try {
    verifyCertificate({
      provider: nodeCrypto,
      chain: [leaf.certificate],
      trust: new TrustStore([by.certificate]),
      at: NOW,
      ...options,
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

const EKU = 'bad-extended-key-usage';
const { serverAuth, clientAuth, emailProtection, ipsecIke, ocspSigning, timeStamping, codeSigning, any } =
  KeyPurposeOid;

describe('what a profile is for', () => {
  test.each<[string, VerificationProfile, string[] | undefined, Outcome]>([
    ['web PKI', webPkiProfile, [serverAuth], 'accepted'],
    ['web PKI', webPkiProfile, [clientAuth], EKU],
    ['client', clientAuthProfile, [clientAuth], 'accepted'],
    ['client', clientAuthProfile, [serverAuth], EKU],
    ['client', clientAuthProfile, [any], EKU],
    ['client', clientAuthProfile, undefined, 'accepted'],
    // RFC 8550 §4.4.4
    ['S/MIME', smimeProfile, [emailProtection], 'accepted'],
    ['S/MIME', smimeProfile, [any], 'accepted'],
    ['S/MIME', smimeProfile, undefined, 'accepted'],
    ['S/MIME', smimeProfile, [serverAuth], EKU],
    // RFC 4945 §5.1.3.12
    ['IKE', ikeProfile, [ipsecIke], 'accepted'],
    ['IKE', ikeProfile, [any], 'accepted'],
    ['IKE', ikeProfile, undefined, 'accepted'],
    ['IKE', ikeProfile, [serverAuth, clientAuth], EKU],
  ])('%s (%j)', (_, profile, extendedKeyUsage, expected) => {
    expect(outcome(make({ by: root, subject: 'example.com', extendedKeyUsage }), { profile })).toBe(expected);
  });

  test('is overruled by the caller', () => {
    const leaf = make({ by: root, extendedKeyUsage: [clientAuth] });
    expect(outcome(leaf, { profile: smimeProfile, purpose: 'client' })).toBe('accepted');
  });

  test('must be said by one of the two', () => {
    expect(() => outcome(make({ by: root }), { profile: compatibleProfile })).toThrow(RangeError);
  });

  test.each<[string, MakeOptions['keyUsage'], Outcome]>([
    ['smime', ['nonRepudiation'], 'accepted'],
    ['smime', ['keyEncipherment'], 'bad-key-usage'],
    ['ike', ['nonRepudiation'], 'accepted'],
    ['ike', ['keyAgreement'], 'bad-key-usage'],
    ['clientAuth', ['nonRepudiation'], 'bad-key-usage'],
    ['clientAuth', undefined, 'accepted'],
  ])('%s: key usage %j', (name, keyUsage, expected) => {
    const profile = PROFILES[name as keyof typeof PROFILES];
    expect(outcome(make({ by: root, keyUsage, extendedKeyUsage: undefined }), { profile })).toBe(expected);
  });

  test('mail that is encrypted asks for another key usage', () => {
    const leaf = make({ by: root, keyUsage: ['keyEncipherment'], extendedKeyUsage: [emailProtection] });
    expect(outcome(leaf, { profile: smimeProfile, leafKeyUsage: 'keyEncipherment' })).toBe('accepted');
    expect(outcome(leaf, { profile: smimeProfile, leafKeyUsage: 'any' })).toBe('accepted');
  });
});

describe('purposes', () => {
  test.each<[VerifyOptions['purpose'] & string, string[] | undefined, Outcome]>([
    ['ocspSigning', [ocspSigning], 'accepted'],
    ['ocspSigning', undefined, EKU],
    ['ocspSigning', [any], EKU],
    ['timeStamping', undefined, EKU],
    ['codeSigning', [serverAuth], EKU],
    ['any', [serverAuth], 'accepted'],
    ['any', undefined, 'accepted'],
  ])('%s with %j', (purpose, extendedKeyUsage, expected) => {
    expect(outcome(make({ by: root, extendedKeyUsage }), { purpose })).toBe(expected);
  });

  // RFC 3161 §2.3: critical, and nothing beside it.
  test.each<[string, boolean, string[], Outcome]>([
    ['alone and critical', true, [timeStamping], 'accepted'],
    ['not critical', false, [timeStamping], EKU],
    ['with another purpose', true, [timeStamping, codeSigning], EKU],
    ['behind another purpose', true, [codeSigning, timeStamping], EKU],
    ['with any purpose', true, [timeStamping, any], EKU],
    ['twice', true, [timeStamping, timeStamping], EKU],
    ['as any purpose', true, [any], EKU],
    ['as another purpose', true, [codeSigning], EKU],
  ])('timeStamping %s', (_, critical, purposes, expected) => {
    const value = der.sequence(...purposes.map((one) => der.oid(one)));
    const others = [extension(ExtensionOid.extendedKeyUsage, critical, value)];
    const leaf = make({ by: root, extendedKeyUsage: undefined, others });
    expect(outcome(leaf, { purpose: 'timeStamping' })).toBe(expected);
    // Above, it only limits.
    const tsaRoot = makeAuthority({ extendedKeyUsage: [timeStamping, codeSigning] });
    const below = make({ by: tsaRoot, extendedKeyUsage: undefined, others });
    expect(outcome(below, { purpose: 'timeStamping' }, tsaRoot)).toBe(expected);
  });

  test('of one\u2019s own are data', () => {
    const purpose = {
      title: 'robot',
      extendedKeyUsage: ['1.3.6.1.4.1.55555.1'],
      keyUsage: [],
      isExplicit: true,
    };
    expect(outcome(make({ by: root, extendedKeyUsage: ['1.3.6.1.4.1.55555.1'] }), { purpose })).toBe(
      'accepted',
    );
    expect(outcome(make({ by: root }), { purpose })).toBe(EKU);
  });

  test('hold for the CAs above: a CA for mail issues no servers', () => {
    const mailRoot = makeAuthority({ extendedKeyUsage: [emailProtection] });
    expect(outcome(make({ by: mailRoot }), { purpose: 'server' }, mailRoot)).toBe(EKU);
    const leaf = make({ by: mailRoot, extendedKeyUsage: [emailProtection] });
    expect(outcome(leaf, { purpose: 'email' }, mailRoot)).toBe('accepted');
  });
});

describe('a profile of one\u2019s own is data', () => {
  const strict: VerificationProfile = JSON.parse(
    JSON.stringify({ ...compatibleProfile, name: 'mine', keys: ['secp384r1'], hashes: ['sha384'] }),
  );
  const p384: KeySpec = { type: 'ec', curve: 'secp384r1' };
  const strong = makeAuthority({ privateKey: nodeCrypto.generateKey(p384) });

  test('and survives JSON', () => {
    const leaf = make({ by: strong, privateKey: nodeCrypto.generateKey(p384) });
    expect(outcome(leaf, { profile: strict, purpose: 'server' }, strong)).toBe('accepted');
    expect(outcome(make({ by: strong }), { profile: strict, purpose: 'server' }, strong)).toBe(
      'unsupported-algorithm',
    );
    expect(outcome(make({ by: root }), { profile: strict, purpose: 'server' })).toBe('unsupported-algorithm');
    const hashOnly = { ...compatibleProfile, hashes: ['sha384'] } as const;
    expect(outcome(make({ by: root }), { profile: hashOnly, purpose: 'server' })).toBe(
      'unsupported-algorithm',
    );
  });

  test('that names hashes says nothing of algorithms that have their own', () => {
    const hashes: VerificationProfile = { ...compatibleProfile, hashes: ['sha256'] };
    const ed = makeAuthority({ privateKey: nodeCrypto.generateKey({ type: 'ed25519' }) });
    expect(outcome(make({ by: ed }), { profile: hashes, purpose: 'server' }, ed)).toBe('accepted');
    const keys: VerificationProfile = { ...hashes, keys: ['secp256r1'] };
    expect(outcome(make({ by: ed }), { profile: keys, purpose: 'server' }, ed)).toBe('unsupported-algorithm');
    expect(outcome(make({ by: root }), { profile: keys, purpose: 'server' })).toBe('accepted');
  });

  test('that asks for longer RSA keys', () => {
    const rsa = makeAuthority({ privateKey: nodeCrypto.generateKey({ type: 'rsa', bits: 2048 }) });
    const profile = { ...webPkiProfile, minimumRsaBits: 3072 };
    expect(outcome(make({ by: rsa, subject: 'example.com' }), { profile: webPkiProfile }, rsa)).toBe(
      'accepted',
    );
    expect(outcome(make({ by: rsa, subject: 'example.com' }), { profile }, rsa)).toBe('weak-key');
  });

  test('that asks for short validity of leaves', () => {
    const profile = { ...compatibleProfile, maximumLeafDays: 90 };
    const valid = (notAfter: string): Made =>
      make({ by: root, notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date(notAfter) });
    expect(outcome(valid('2026-03-31T23:59:59Z'), { profile, purpose: 'server' })).toBe('accepted');
    expect(outcome(valid('2026-04-01T00:00:00Z'), { profile, purpose: 'server' })).toBe('profile-violation');
  });

  test('with a rule that is not known accepts nothing', () => {
    for (const rule of ['nonsense', 'toString', '__proto__']) {
      const profile = { ...compatibleProfile, rules: [rule as ProfileRuleName] };
      expect(outcome(make({ by: root }), { profile, purpose: 'server' })).toBe('profile-violation');
    }
  });
});

test('the web PKI takes no Ed25519, others do', () => {
  const ed = makeAuthority({ privateKey: nodeCrypto.generateKey({ type: 'ed25519' }) });
  const leaf = make({ by: ed, subject: 'example.com' });
  expect(outcome(leaf, { profile: webPkiProfile }, ed)).toBe('unsupported-algorithm');
  expect(outcome(leaf, { purpose: 'server' }, ed)).toBe('accepted');
});

test('policies that limit others must be critical by RFC 5280', () => {
  const other = makeAuthority({
    others: [extension(ExtensionOid.inhibitAnyPolicy, false, der.integer(1))],
  });
  const profile: VerificationProfile = { ...compatibleProfile, rules: ['policy-constraints-critical'] };
  expect(outcome(make({ by: other }), { profile, purpose: 'server' }, other)).toBe('profile-violation');
});

describe('critical extensions', () => {
  const CPS = '1.3.6.1.5.5.7.2.1';
  const NOTICE = '1.3.6.1.5.5.7.2.2';
  const policies = (critical: boolean, ...kinds: (readonly string[])[]): MakeOptions => ({
    others: [
      extension(
        ExtensionOid.certificatePolicies,
        critical,
        der.sequence(
          ...kinds.map((qualifiers, i) =>
            der.sequence(
              der.oid(`1.3.6.1.4.1.55555.${i + 1}`),
              qualifiers.length === 0
                ? undefined
                : der.sequence(
                    ...qualifiers.map((kind) => der.sequence(der.oid(kind), der.ia5String('http://a.test/'))),
                  ),
            ),
          ),
        ),
      ),
    ],
  });
  const UNKNOWN = 'unknown-critical-extension';

  // RFC 5280 §4.2.1.4: who must not pass over it must know its qualifiers.
  test.each<[string, MakeOptions, Outcome]>([
    ['no qualifier', policies(true, []), 'accepted'],
    ['the two that are known', policies(true, [CPS, NOTICE], [NOTICE]), 'accepted'],
    ['one that is not known', policies(true, ['1.2.3.4']), UNKNOWN],
    ['one that is not known behind others', policies(true, [], [CPS, NOTICE, '1.2.3.4']), UNKNOWN],
    ['one that is not known, but not critical', policies(false, ['1.2.3.4']), 'accepted'],
  ])('policies with %s', (_, options, expected) => {
    for (const profile of Object.values(PROFILES)) {
      const own = { ...profile, rules: [] };
      expect(outcome(make({ by: root, ...options }), { profile: own, purpose: 'server' })).toBe(expected);
      const authority = makeAuthority(options);
      expect(outcome(make({ by: authority }), { profile: own, purpose: 'server' }, authority)).toBe(expected);
    }
  });

  test('that ask for no OCSP are known, whatever the certificate is for', () => {
    const others = [extension(ExtensionOid.ocspNoCheck, true, der.nullValue())];
    const leaf = make({ by: root, extendedKeyUsage: [ocspSigning], others });
    expect(outcome(leaf, { purpose: 'ocspSigning' })).toBe('accepted');
    expect(outcome(make({ by: root, others }), { purpose: 'server' })).toBe('accepted');
  });
});

// RFC 5280 §4.2.1.9
test.each<[string, MakeOptions, Outcome]>([
  ['no authority', { ca: false }, 'profile-violation'],
  ['an authority', { ca: true, keyUsage: ['keyCertSign', 'digitalSignature'] }, 'accepted'],
  ['an authority that may not sign certificates', { ca: true }, 'profile-violation'],
])('a path length in %s, by RFC 5280', (_, { ca, keyUsage = ['digitalSignature'] }, expected) => {
  const value = der.sequence(ca ? der.boolean(true) : undefined, der.integer(0));
  const others = [extension(ExtensionOid.basicConstraints, true, value)];
  const leaf = make({ by: root, ca: undefined, keyUsage, others });
  const profile: VerificationProfile = { ...compatibleProfile, rules: ['authority-flags'] };
  expect(outcome(leaf, { profile, purpose: 'server' })).toBe(expected);
  expect(outcome(leaf, { purpose: 'server' })).toBe('accepted');
});
