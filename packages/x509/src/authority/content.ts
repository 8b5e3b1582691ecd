import { der } from '@testudo/codec';
import type { CryptoProvider, KeySpec, PublicKey } from '@testudo/crypto';
import { type CertificateContent, randomSerialNumber } from '../build.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import type { Extension } from '../extensions.ts';
import { encodeGeneralName } from '../general-name.ts';
import { ExtensionOid } from '../oids.ts';
import { toConstraint } from './names.ts';
import { distinguishedNameOf, type SubjectAttributes } from './subject.ts';

export interface AuthorityContentRequest {
  readonly commonName: string;
  /** Further attributes of its name. Default: none but the common name. */
  readonly subject?: Omit<SubjectAttributes, 'commonName'> | undefined;
  /** Default 3650. */
  readonly days?: number | undefined;
  /** Intermediates allowed below. Default: no limit for a root, 0 for an intermediate. */
  readonly pathLength?: number | undefined;
  /**
   * Names for which it may issue (RFC 5280 §4.2.1.10): `example.com` with all below, `192.0.2.0/24`, `@example.com` for
   * mail. Names of a kind that `permitted` does not mention are free. Default: no limit.
   */
  readonly nameConstraints?:
    | { readonly permitted?: readonly string[]; readonly excluded?: readonly string[] }
    | undefined;
  /** The moment of issue. Default: now. */
  readonly at?: Date | undefined;
}

/** What the issuer adds is missing. */
export type Unissued = Omit<CertificateContent, 'issuer' | 'authorityKeyIdentifier'>;

export const DEFAULT_KEY: KeySpec = { type: 'ec', curve: 'secp256r1' };

/** Clocks of peers may be slow by this much, in milliseconds. */
const CLOCK_SKEW = 3_600_000;
const DAY = 86_400_000;

/** RFC 5280's upper bound on a common name, in characters (§A.1, ub-common-name). */
const COMMON_NAME_LIMIT = 64;

/** The content of a CA's certificate. Throws `RangeError` on what cannot stand in one. */
export function authorityContent(
  request: AuthorityContentRequest,
  publicKey: PublicKey,
  provider: CryptoProvider,
): Unissued {
  const { commonName, subject, nameConstraints } = request;
  return {
    ...validity(request.at, request.days ?? 3650),
    serialNumber: randomSerialNumber(provider),
    subject:
      subject === undefined ? subjectFor(commonName, true) : distinguishedNameOf({ ...subject, commonName }),
    publicKey,
    ca: true,
    pathLength: request.pathLength,
    keyUsage: ['keyCertSign', 'cRLSign'],
    others: nameConstraints && [nameConstraintsExtension(nameConstraints)],
  };
}

export function validity(at: Date = new Date(), days: number): { notBefore: Date; notAfter: Date } {
  if (!(days > 0)) throw new RangeError('a certificate needs a positive number of days');
  return { notBefore: new Date(at.getTime() - CLOCK_SKEW), notAfter: new Date(at.getTime() + days * DAY) };
}

/** A subject of a common name; one that is too long is an error when it was asked for, and left out otherwise. */
export function subjectFor(commonName: string, isExplicit: boolean): DistinguishedName {
  if (commonName.length >= 1 && commonName.length <= COMMON_NAME_LIMIT)
    return DistinguishedName.ofCommonName(commonName);
  if (isExplicit) throw new RangeError(`a common name has 1 to ${COMMON_NAME_LIMIT} characters`);
  return DistinguishedName.empty;
}

function nameConstraintsExtension(constraints: {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
}): Extension {
  const subtrees = (number: number, names: readonly string[] = []): Uint8Array | undefined =>
    names.length === 0
      ? undefined
      : der.explicit(number, ...names.map((name) => der.sequence(encodeGeneralName(toConstraint(name)))));
  const permitted = subtrees(0, constraints.permitted);
  const excluded = subtrees(1, constraints.excluded);
  if (permitted === undefined && excluded === undefined)
    throw new RangeError('name constraints without a name');
  return { oid: ExtensionOid.nameConstraints, critical: true, value: der.sequence(permitted, excluded) };
}
