import type { KeyKind, SignatureAlgorithm } from '@testudo/crypto';
import { type AlgorithmIdentifier, signatureAlgorithmOf } from './algorithm.ts';
import type { CertificateErrorCode } from './errors.ts';
import type { KeyName, VerificationProfile } from './profile.ts';

/** What a profile has against a key or a signature algorithm. `what` is for people: `its key is of the kind …`. */
export interface AlgorithmBreach {
  readonly code: Extract<
    CertificateErrorCode,
    'malformed' | 'unsupported-algorithm' | 'weak-key' | 'weak-signature'
  >;
  readonly what: string;
}

/** The part of a profile that keys and signatures are held to, wherever they stand: in certificates, CRLs, OCSP responses. */
export type AlgorithmDemands = Pick<
  VerificationProfile,
  'name' | 'keys' | 'minimumRsaBits' | 'maximumRsaBits' | 'hashes'
>;

/** Why a profile does not accept a key; undefined when it does. */
export function breachOfKey(kind: KeyKind, demands: AlgorithmDemands): AlgorithmBreach | undefined {
  const { name, keys, minimumRsaBits, maximumRsaBits } = demands;
  const key: KeyName = kind.type === 'ec' ? kind.curve : kind.type;
  if (!keys.includes(key))
    return {
      code: 'unsupported-algorithm',
      what: `its key type ${key} is not accepted (profile ${name})`,
    };
  if (!('bits' in kind)) return undefined;
  const title = kind.type === 'dsa' ? 'DSA' : 'RSA';
  if (kind.bits < minimumRsaBits)
    return {
      code: 'weak-key',
      what: `its ${title} key has ${kind.bits} bits; at least ${minimumRsaBits} are needed`,
    };
  if (kind.bits > maximumRsaBits)
    return {
      code: 'unsupported-algorithm',
      what: `its ${title} key has ${kind.bits} bits; at most ${maximumRsaBits} are allowed`,
    };
  return undefined;
}

/** The signature algorithm that an identifier stands for, where the profile accepts it; else why not. */
export function acceptedSignature(
  identifier: AlgorithmIdentifier,
  { name, hashes }: AlgorithmDemands,
): SignatureAlgorithm | AlgorithmBreach {
  const verdict = signatureAlgorithmOf(identifier);
  const { algorithm } = verdict;
  const hash = algorithm !== undefined && 'hash' in algorithm ? algorithm.hash : undefined;
  // An algorithm that brings its own hash is decided by the kind of key.
  const isAccepted =
    hash === undefined || hashes === undefined
      ? verdict.kind === 'supported'
      : hashes.some((one) => one === hash);
  if (algorithm !== undefined && isAccepted) return algorithm;
  if (verdict.kind !== 'supported')
    return { code: REFUSALS[verdict.kind], what: `it is signed with ${verdict.name}` };
  return {
    code: 'unsupported-algorithm',
    what: `it is signed with ${hash ?? algorithm!.name}, which is not accepted (profile ${name})`,
  };
}

const REFUSALS = {
  weak: 'weak-signature',
  unsupported: 'unsupported-algorithm',
  malformed: 'malformed',
} as const;

export function isBreach(found: SignatureAlgorithm | AlgorithmBreach): found is AlgorithmBreach {
  return 'code' in found;
}
