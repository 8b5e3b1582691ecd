import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fromBase64 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  ANY_POLICY,
  Certificate,
  CertificateError,
  CertificateRevocationList,
  crlChecker,
  HARD_FAIL,
  type PolicyDemands,
  type ProfileRuleName,
  type RevocationPolicy,
  rfc5280Profile,
  TrustStore,
  type VerificationProfile,
  type VerifyOptions,
  verifyCertificate,
} from '@testudo/x509';

/** A test of NIST's suite, from `tests.txt`; the trust anchor and its list belong to each and are not named there. */
export interface PkitsTest {
  /** As in the document: `4.8.1 (2)` for the second of several procedures. */
  readonly id: string;
  readonly title: string;
  /** Names of certificates in the order of the document, the one to be verified last. */
  readonly certificates: readonly string[];
  readonly lists: readonly string[];
  readonly demands: PolicyDemands;
  /** `valid`, or the code of the error that says why not. */
  readonly verdict: string;
  /** The user-constrained-policy-set of a valid path. */
  readonly policies: readonly string[];
}

export const pkitsTests: readonly PkitsTest[] = readFileSync(new URL('tests.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line))
  .map(readTest);

function readTest(line: string): PkitsTest {
  const [id, title, certificates, lists, settings, verdict, policies] = line
    .split('|')
    .map((field) => field.trim());
  return {
    ...{ id: id!, title: title!, verdict: verdict! },
    certificates: words(certificates),
    lists: words(lists),
    demands: demandsOf(settings!.split(', ')),
    policies: words(policies).map(policyOid),
  };
}

function demandsOf(settings: readonly string[]): PolicyDemands {
  const acceptable = settings.find((setting) => setting.startsWith('acceptable '));
  return {
    acceptable: acceptable === undefined ? undefined : words(acceptable).slice(1).map(policyOid),
    requireExplicit: settings.includes('explicit'),
    inhibitMapping: settings.includes('no mapping'),
    inhibitAny: settings.includes('no any'),
  };
}

/** NIST's test policies by number (§3 of the document). */
function policyOid(name: string): string {
  return name === 'any' ? ANY_POLICY : `2.16.840.1.101.3.2.1.48.${name}`;
}

function words(text = ''): string[] {
  return text.split(' ').filter((word) => word !== '');
}

const packed = JSON.parse(
  gunzipSync(readFileSync(new URL('../../vectors/pkits/pkits.json.gz', import.meta.url))).toString(),
) as Readonly<Record<'certificates' | 'lists', Readonly<Record<string, string>>>>;

/** Rules for issuers that RFC 3280 did not know, or that the suite breaks on purpose. */
const LATER_RULES: readonly ProfileRuleName[] = [
  'policy-constraints-critical',
  'authority-flags',
  'serial-number',
];

/** When the suite was published in its present form: all that should be valid is. */
const AT = new Date('2011-04-15T00:00:00Z');

/**
 * RFC 5280's profile as far as the suite, which was made for RFC 3280, keeps to it: policyConstraints is not critical in it, one
 * basicConstraints neither, and one serial number is negative. It also has keys of DSA, of 1,024 bits and with SHA-1.
 */
export const pkitsProfile: VerificationProfile = {
  ...rfc5280Profile,
  name: 'pkits',
  rules: rfc5280Profile.rules.filter((rule) => !LATER_RULES.includes(rule)),
  keys: [...rfc5280Profile.keys, 'dsa'],
  hashes: ['sha1', 'sha256'],
  minimumRsaBits: 1024,
};

export interface PkitsSettings {
  /** Default {@link pkitsProfile}. */
  readonly profile?: VerificationProfile;
  /** Default {@link HARD_FAIL}; undefined asks nothing. */
  readonly policy?: RevocationPolicy | undefined;
  /** Certificates that are there besides those of the test. Default none. */
  readonly others?: readonly Certificate[];
}

export interface PkitsOutcome {
  /** `valid`, or the code of the error. */
  readonly verdict: string;
  readonly policies: readonly string[];
}

/** What we make of a test. Anything but a verdict and a typed error is thrown. */
export function outcomeOf(test: PkitsTest, settings: PkitsSettings = {}): PkitsOutcome {
  try {
    return { verdict: 'valid', policies: verifyCertificate(verifyOptions(test, settings)).policies };
  } catch (error) {
    if (error instanceof CertificateError) return { verdict: error.code, policies: [] };
    throw error;
  }
}

/** All certificates of the suite that can be parsed. */
export function allCertificates(): Certificate[] {
  return Object.keys(packed.certificates).flatMap((name) => parsed(() => certificateOf(name)));
}

function verifyOptions(
  test: PkitsTest,
  { profile = pkitsProfile, others = [], ...rest }: PkitsSettings,
): VerifyOptions {
  const anchor = certificateOf('TrustAnchorRootCertificate');
  const chain = test.certificates.map(certificateOf).toReversed();
  // What cannot be read says nothing.
  const lists = ['TrustAnchorRootCRL', ...test.lists].flatMap((name) =>
    parsed(() => CertificateRevocationList.parse(fromBase64(packed.lists[name]!))),
  );
  const policy = 'policy' in rest ? rest.policy : HARD_FAIL;
  return {
    ...{ provider: nodeCrypto, at: AT, purpose: 'any', profile, policies: test.demands },
    chain: [...chain, ...others],
    trust: new TrustStore([anchor]),
    revocation: policy && crlChecker({ provider: nodeCrypto, lists, signers: chain.slice(1), policy }),
  };
}

/** Throws CertificateError. */
function certificateOf(name: string): Certificate {
  return Certificate.parse(fromBase64(packed.certificates[name]!));
}

function parsed<T>(parse: () => T): T[] {
  try {
    return [parse()];
  } catch (error) {
    if (error instanceof CertificateError) return [];
    throw error;
  }
}
