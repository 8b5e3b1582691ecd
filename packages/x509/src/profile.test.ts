import { der } from '@testudo/codec';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { extension, type Made, type MakeOptions, make, makeAuthority, NOW } from '../testing/make.ts';
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
const { serverAuth, clientAuth, emailProtection, ipsecIke, ocspSigning, timeStamping, any } = KeyPurposeOid;

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
    ['timeStamping', [timeStamping], 'accepted'],
    ['timeStamping', undefined, EKU],
    ['codeSigning', [serverAuth], EKU],
    ['any', [serverAuth], 'accepted'],
    ['any', undefined, 'accepted'],
  ])('%s with %j', (purpose, extendedKeyUsage, expected) => {
    expect(outcome(make({ by: root, extendedKeyUsage }), { purpose })).toBe(expected);
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
