import type { EcCurve, HashName, KeyKind } from '@testudo/crypto';
import type { ProfileRuleName } from './profile-rules.ts';
import type { PurposeName } from './purpose.ts';

/** A kind of key: its type, or for elliptic curves of ECDSA the curve. */
export type KeyName = Exclude<KeyKind['type'], 'ec'> | EcCurve;

/**
 * What is demanded of certificates beyond what makes a path valid (RFC 5280 §6). It is data, and survives JSON: take one
 * that is near and change it, as in `{ ...webPkiProfile, name: 'strict', minimumRsaBits: 3072 }`.
 */
export interface VerificationProfile {
  /** For messages. */
  readonly name: string;
  /** What the leaf is used for, when the caller does not say. Default: none, so the caller must. */
  readonly purpose?: PurposeName | undefined;
  /** Shortest RSA modulus or DSA prime, in bits. */
  readonly minimumRsaBits: number;
  /** Longest RSA modulus or DSA prime, in bits: verifying costs more than linear time in it. */
  readonly maximumRsaBits: number;
  /** Keys that certificates may hold: one that a provider comes to know is not thereby good. */
  readonly keys: readonly KeyName[];
  /**
   * Hashes of signatures, where the algorithm leaves a choice: of Ed25519, Ed448 and ML-DSA the `keys` decide. Default: all but
   * the broken ones, MD5 and SHA-1, which count only where they are named.
   */
  readonly hashes?: readonly HashName[] | undefined;
  /** Longest validity of a leaf, in days. Default: no limit. */
  readonly maximumLeafDays?: number | undefined;
  /** Demands on single certificates, by name; each is explained in `profile-rules.ts`. */
  readonly rules: readonly ProfileRuleName[];
}

/** What TLS clients in use accept: everything that a path's safety rests on, and no more. The default. */
export const compatibleProfile: VerificationProfile = {
  name: 'compatible',
  minimumRsaBits: 2048,
  maximumRsaBits: 8192,
  // All but DSA, which no CA has used for decades.
  keys: [
    'rsa',
    'rsa-pss',
    'secp256r1',
    'secp384r1',
    'secp521r1',
    'brainpoolP256r1',
    'brainpoolP384r1',
    'brainpoolP512r1',
    'ed25519',
    'ed448',
    'ml-dsa-44',
    'ml-dsa-65',
    'ml-dsa-87',
  ],
  rules: [],
};

/** What RFC 5280 demands of the CAs that issue: for checking certificates rather than for connecting. */
const issuerRules = [
  'serial-number',
  'key-identifiers',
  'authority-flags',
  'name-constraints-place',
  'policy-constraints-critical',
  'alternative-names',
] as const satisfies readonly ProfileRuleName[];

/** RFC 5280's rules for issuers, all of them that concern a path. */
export const rfc5280Profile: VerificationProfile = {
  ...compatibleProfile,
  name: 'rfc5280',
  rules: [...issuerRules, 'name-constraints-critical'],
};

/** The rules of the CA/Browser Forum's Baseline Requirements for public TLS servers, on top of RFC 5280's. */
export const webPkiProfile: VerificationProfile = {
  ...compatibleProfile,
  name: 'web-pki',
  purpose: 'server',
  // Baseline Requirements §6.1.5 and §7.1.3.
  keys: ['rsa', 'secp256r1', 'secp384r1', 'secp521r1'],
  hashes: ['sha256', 'sha384', 'sha512'],
  rules: [
    ...issuerRules,
    'rsa-whole-bytes',
    'root-key-identifiers',
    'exact-server-purposes',
    'leaf-is-no-authority',
    'common-name-is-alternative-name',
    'readable-authority-information',
  ],
};

/** Client authentication in TLS: by CAs of one's own, so no more is asked than of a path in general. */
export const clientAuthProfile: VerificationProfile = {
  ...compatibleProfile,
  name: 'client-auth',
  purpose: 'client',
};

/** S/MIME (RFC 8550 §4): signatures and keys as in §4.3, the purpose as in §4.4. */
export const smimeProfile: VerificationProfile = {
  ...compatibleProfile,
  name: 'smime',
  purpose: 'email',
  rules: ['leaf-is-no-authority'],
};

/** IKEv2 (RFC 4945 §5.1). */
export const ikeProfile: VerificationProfile = {
  ...compatibleProfile,
  name: 'ike',
  purpose: 'ike',
  rules: ['leaf-is-no-authority'],
};

/** All of them by name. */
export const PROFILES: Readonly<Record<ProfileName, VerificationProfile>> = {
  compatible: compatibleProfile,
  rfc5280: rfc5280Profile,
  webPki: webPkiProfile,
  clientAuth: clientAuthProfile,
  smime: smimeProfile,
  ike: ikeProfile,
};

export type ProfileName = 'compatible' | 'rfc5280' | 'webPki' | 'clientAuth' | 'smime' | 'ike';
