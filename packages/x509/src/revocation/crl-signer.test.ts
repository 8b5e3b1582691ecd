import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { buildCrl, type CrlContent } from '../authority/crl-builder.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import { CertificateError } from '../errors.ts';
import { compatibleProfile, type VerificationProfile } from '../profile.ts';
import type { RevocationRequest } from '../revocation-check.ts';
import {
  extension,
  type Made,
  type MakeOptions,
  make,
  makeAuthority,
  NOW,
  nameConstraints,
} from '../testing/make.ts';
import { TrustStore } from '../trust-store.ts';
import { verifyCertificate, verifyCertificateAsync } from '../verify.ts';
import type { CertificateRevocationList } from './crl.ts';
import { crlChecker } from './crl-checker.ts';
import { distributionPointsExtension } from './distribution-point.ts';
import { fetchingChecker } from './fetching-checker.ts';
import { HARD_FAIL, type RevocationPolicy, SOFT_FAIL } from './policy.ts';

// RFC 5280 §6.3.3 (f): the path of who signed a list is validated whole, its revocation included.

const provider = nodeCrypto;
const later = (days: number): Date => new Date(+NOW + days * 86_400_000);
const URL = 'http://crl.test/leaf.crl';
const ROOT_URL = 'http://crl.test/root.crl';

const root = makeAuthority({ subject: 'root', keyUsage: ['keyCertSign', 'cRLSign'] });
// Its lists are signed by a key of its own name.
const authority = makeAuthority({ subject: 'CA', by: root, keyUsage: ['keyCertSign'] });
const leaf = make({ by: authority, others: [distributionPointsExtension([URL])] });

function signer(options: MakeOptions = {}): Made {
  return make({
    ...{
      subject: 'CA',
      by: root,
      keyUsage: ['cRLSign'],
      extendedKeyUsage: undefined,
      subjectAltName: undefined,
    },
    others: [distributionPointsExtension([ROOT_URL])],
    ...options,
  });
}

function crl(
  by: Made,
  revoked: readonly Made[] = [],
  content: Partial<CrlContent> = {},
): CertificateRevocationList {
  const entries = revoked.map(({ certificate: { serialNumber } }) => ({
    ...{ serialNumber, revocationDate: later(-2), reason: 'keyCompromise' as const },
  }));
  return buildCrl(
    { thisUpdate: later(-1), nextUpdate: later(1), number: 5n, entries, ...content },
    provider,
    by,
  );
}

interface Situation {
  readonly signers?: readonly Made[];
  readonly policy?: Partial<RevocationPolicy>;
  readonly profile?: VerificationProfile;
  readonly chain?: readonly Made[];
}

function verdict(
  lists:
    | readonly CertificateRevocationList[]
    | ((request: RevocationRequest) => readonly CertificateRevocationList[]),
  { signers = [], policy, profile, chain = [leaf, authority] }: Situation = {},
): string {
  try {
    verifyCertificate({
      ...{ provider, at: NOW, purpose: 'server', profile },
      chain: chain.map(({ certificate }) => certificate),
      trust: new TrustStore([root.certificate]),
      revocation: crlChecker({
        ...{ provider, lists, signers: signers.map(({ certificate }) => certificate) },
        policy: { ...HARD_FAIL, ...policy },
      }),
    });
    return 'good';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

describe('a separate signer', () => {
  const good = signer();

  test('that is not revoked is believed', () => {
    const signers = [good];
    expect(verdict([crl(root), crl(good)], { signers })).toBe('good');
    expect(verdict([crl(root), crl(good, [leaf])], { signers })).toBe('revoked');
  });

  test('that is revoked is not, and what it says counts neither way', () => {
    const signers = [good];
    const ofRoot = crl(root, [good]);
    expect(verdict([ofRoot, crl(good)], { signers })).toBe('revocation-unknown');
    expect(verdict([crl(good), ofRoot], { signers })).toBe('revocation-unknown');
    expect(verdict([crl(good, [leaf]), ofRoot], { signers })).toBe('revocation-unknown');
    // Soft-fail puts up with what is not known, not with what a revoked key says.
    expect(verdict([ofRoot, crl(good, [leaf])], { signers, policy: SOFT_FAIL })).toBe('good');
  });

  test('that is revoked does not stand in the way of another', () => {
    const other = signer();
    const lists = [crl(root, [good]), crl(good), crl(other, [leaf])];
    expect(verdict(lists, { signers: [good, other] })).toBe('revoked');
    expect(verdict(lists, { signers: [other, good] })).toBe('revoked');
  });

  test('about which nothing is known satisfies soft-fail only, but what it revoked is revoked', () => {
    const lists = ({ certificate }: RevocationRequest): CertificateRevocationList[] =>
      certificate.equals(authority.certificate) ? [crl(root)] : [crl(good)];
    const revoking = ({ certificate }: RevocationRequest): CertificateRevocationList[] =>
      certificate.equals(authority.certificate) ? [crl(root)] : [crl(good, [leaf])];
    const signers = [good];
    expect(verdict(lists, { signers })).toBe('revocation-unknown');
    expect(verdict(lists, { signers, policy: SOFT_FAIL })).toBe('good');
    expect(verdict(lists, { signers, policy: { scope: 'leaf' } })).toBe('good');
    expect(verdict(revoking, { signers })).toBe('revoked');
  });

  test('is not vouched for by its own list, nor by one that it vouches for', () => {
    const other = signer();
    const list = crl(good);
    const signers = [good, other];
    // Neither has a list but those of the two: the root's says nothing about them.
    const own = ({ certificate }: RevocationRequest): CertificateRevocationList[] =>
      certificate.equals(authority.certificate) ? [crl(root)] : [list, crl(other)];
    expect(verdict(own, { signers })).toBe('revocation-unknown');
  });

  test('by another authority of that name is not believed', () => {
    const elsewhere = makeAuthority({ subject: 'elsewhere', by: root, keyUsage: ['keyCertSign', 'cRLSign'] });
    const forged = signer({ by: elsewhere });
    const lists = [crl(root), crl(elsewhere), crl(forged)];
    expect(verdict(lists, { signers: [forged, elsewhere] })).toBe('revocation-unknown');
  });

  test.each<[string, MakeOptions]>([
    ['over', { notAfter: later(-1) }],
    ['not yet valid', { notBefore: later(1) }],
    ['for other things', { keyUsage: ['digitalSignature'] }],
    ['with an unknown critical extension', { others: [extension('1.2.3.4', true, der.nullValue())] }],
    ['not by the root, but by one of its name', { by: make({ subject: 'root' }) }],
  ])('that is %s is not believed', (_, options) => {
    const bad = signer(options);
    expect(verdict([crl(root), crl(bad)], { signers: [bad] })).toBe('revocation-unknown');
  });

  test('outside the name constraints above it is not believed', () => {
    const within = DistinguishedName.ofCommonName('allowed');
    const bound = makeAuthority({
      ...{ subject: 'bound', by: root, keyUsage: ['keyCertSign', 'cRLSign'] },
      others: [nameConstraints([{ kind: 'directory', name: within }])],
    });
    const issuer = signer({ by: bound, subject: 'CRL issuer' });
    const allowed = signer({ by: bound, subject: within });
    const outcomes = [issuer, allowed].map((by) => {
      const others = [distributionPointsExtension([URL], by.certificate.subject)];
      const below = make({ by: bound, others, subject: within, subjectAltName: undefined });
      const indirect = crl(by, [], { issuingDistributionPoint: { urls: [URL], indirect: true } });
      const lists = ({ certificate }: RevocationRequest): CertificateRevocationList[] =>
        certificate.equals(below.certificate) ? [indirect] : [crl(root), crl(bound)];
      return verdict(lists, { signers: [by], chain: [below, bound] });
    });
    expect(outcomes).toEqual(['revocation-unknown', 'good']);
  });

  test('may have intermediates of its own, which may not be revoked either', () => {
    const middle = makeAuthority({ subject: 'middle', by: root, keyUsage: ['keyCertSign', 'cRLSign'] });
    const issuer = signer({ by: middle, subject: 'CRL issuer' });
    const others = [distributionPointsExtension([URL], issuer.certificate.subject)];
    const chain = [make({ by: authority, others }), authority];
    const indirect = crl(issuer, [], { issuingDistributionPoint: { urls: [URL], indirect: true } });
    const signers = [issuer, middle];
    expect(verdict([crl(root), crl(middle), indirect], { signers, chain })).toBe('good');
    expect(verdict([crl(root, [middle]), crl(middle), indirect], { signers, chain })).toBe(
      'revocation-unknown',
    );
    expect(verdict([crl(root), crl(middle, [issuer]), indirect], { signers, chain })).toBe(
      'revocation-unknown',
    );
  });
});

test('a list is good for the certificate of its own signer where that says so', () => {
  const name = DistinguishedName.ofCommonName('CRL issuer');
  const others = [distributionPointsExtension([URL], name)];
  const issuer = signer({ subject: name, others });
  const chain = [make({ by: authority, others }), authority];
  const indirect = (...revoked: Made[]): CertificateRevocationList =>
    crl(issuer, revoked, { issuingDistributionPoint: { urls: [URL], indirect: true } });
  const only =
    (list: CertificateRevocationList, ...further: CertificateRevocationList[]) =>
    ({ certificate }: RevocationRequest): CertificateRevocationList[] =>
      certificate.equals(authority.certificate) ? [crl(root)] : [list, ...further];
  const signers = [issuer];
  expect(verdict(only(indirect()), { signers, chain })).toBe('good');
  // Others know better.
  expect(verdict(only(indirect(), crl(root, [issuer])), { signers, chain })).toBe('revocation-unknown');
});

describe('keys and hashes of signers are those of the profile', () => {
  const rsa = provider.generateKey({ type: 'rsa', bits: 2048 });
  const small = provider.generateKey({ type: 'rsa', bits: 1024 });
  const strict = { ...compatibleProfile, name: 'strict', minimumRsaBits: 3072 };
  const lenient = { ...compatibleProfile, name: 'lenient', minimumRsaBits: 1024 };

  test.each<[string, MakeOptions['privateKey'] & object, VerificationProfile | undefined, string]>([
    ['2,048 bits by default', rsa, undefined, 'good'],
    ['2,048 bits where more are needed', rsa, strict, 'revocation-unknown'],
    ['1,024 bits by default', small, undefined, 'revocation-unknown'],
    ['1,024 bits where they are enough', small, lenient, 'good'],
    ['a kind that is not accepted', rsa, { ...compatibleProfile, keys: ['secp256r1'] }, 'revocation-unknown'],
  ])('%s', (_, privateKey, profile, expected) => {
    const by = signer({ privateKey });
    expect(verdict([crl(root), crl(by)], { signers: [by], profile: profile! })).toBe(expected);
  });
});

test('what is fetched is held to the same', async () => {
  const by = signer();
  const middle = makeAuthority({
    ...{ subject: 'CA', by: root, keyUsage: ['keyCertSign'], privateKey: authority.privateKey },
    others: [distributionPointsExtension([ROOT_URL])],
  });
  const outcome = async (revoked: readonly Made[]): Promise<string> => {
    const files = new Map([
      [URL, crl(by).der],
      [ROOT_URL, crl(root, revoked).der],
    ]);
    const revocation = fetchingChecker({
      ...{ provider, policy: HARD_FAIL, signers: [by.certificate] },
      fetch: async ({ url }) => ({ body: files.get(url)! }),
    });
    try {
      await verifyCertificateAsync({
        ...{ provider, at: NOW, purpose: 'server', revocation },
        chain: [leaf.certificate, middle.certificate],
        trust: new TrustStore([root.certificate]),
      });
      return 'good';
    } catch (error) {
      return error instanceof CertificateError ? error.code : String(error);
    }
  };
  expect(await outcome([])).toBe('good');
  expect(await outcome([by])).toBe('revocation-unknown');
});
