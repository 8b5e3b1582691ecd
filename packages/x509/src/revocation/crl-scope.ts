import { bytesEqual } from '@testudo/codec';
import type { Certificate } from '../certificate.ts';
import type { GeneralName } from '../general-name.ts';
import type { CertificateRevocationList } from './crl.ts';
import { type DistributionPoint, type DistributionPointName, shareName } from './distribution-point.ts';
import { RevocationOid } from './oids.ts';
import { ALL_REASONS, type ReasonMask } from './reasons.ts';

/** The point that stands for all lists of the certificate's own issuer (RFC 5280 §6.3.3). */
export function defaultPoint(certificate: Certificate): DistributionPoint {
  return {
    name: { kind: 'full', names: [{ kind: 'directory', name: certificate.issuer }] },
    reasons: undefined,
    crlIssuer: undefined,
  };
}

/**
 * The reasons for which a complete list speaks about a certificate at one of its distribution points
 * (RFC 5280 §6.3.3 (b), (d)); none when it does not. Throws CertificateError on extensions that cannot be read.
 */
export function coverageOf(
  list: CertificateRevocationList,
  point: DistributionPoint,
  certificate: Certificate,
): ReasonMask {
  const issuing = list.issuingDistributionPoint;
  if (!isIssuerExpected(list, point, certificate)) return 0;
  if (issuing === undefined) return point.reasons ?? ALL_REASONS;
  if (issuing.name !== undefined && !isAtPoint(issuing.name, point, list)) return 0;
  // RFC 5280 §6.3.3 (b)(2), its points (ii) to (iv)
  const isCa = certificate.extensions.basicConstraints?.ca === true;
  if (issuing.onlyContainsAttributeCerts) return 0;
  if (issuing.onlyContainsUserCerts && isCa) return 0;
  if (issuing.onlyContainsCaCerts && !isCa) return 0;
  // RFC 5280 §5.2.5: those of older versions, which do not say what they are, are in neither.
  if ((issuing.onlyContainsUserCerts || issuing.onlyContainsCaCerts) && certificate.version !== 3) return 0;
  // The reasons that both the certificate's distribution point and the list speak of (RFC 5280 §6.3.3 (d)).
  return (point.reasons ?? ALL_REASONS) & (issuing.onlySomeReasons ?? ALL_REASONS);
}

/** Whether a delta list says what changed since a complete one (RFC 5280 §6.3.3 (c), §5.2.4). */
export function isDeltaOf(delta: CertificateRevocationList, complete: CertificateRevocationList): boolean {
  if (delta.baseNumber === undefined || delta.number === undefined || complete.number === undefined)
    return false;
  return (
    delta.issuer.equals(complete.issuer) &&
    delta.baseNumber <= complete.number &&
    complete.number < delta.number &&
    isSameBytes(scopeBytes(delta), scopeBytes(complete)) &&
    isSameBytes(keyIdentifierOf(delta), keyIdentifierOf(complete))
  );
}

/** RFC 5280 §6.3.3 (b)(1): the list is by whom the point says, else by the certificate's issuer. */
function isIssuerExpected(
  list: CertificateRevocationList,
  point: DistributionPoint,
  certificate: Certificate,
): boolean {
  if (list.issuer.equals(certificate.issuer))
    return point.crlIssuer === undefined || isNamed(list, point.crlIssuer);
  if (point.crlIssuer === undefined) return false;
  return list.issuingDistributionPoint?.indirectCrl === true && isNamed(list, point.crlIssuer);
}

function isNamed(list: CertificateRevocationList, names: readonly GeneralName[]): boolean {
  return names.some((name) => name.kind === 'directory' && name.name.equals(list.issuer));
}

/** RFC 5280 §6.3.3 (b)(2), its point (i): a name in common, with the point's name or, where it has none, its cRLIssuer. */
function isAtPoint(
  name: DistributionPointName,
  point: DistributionPoint,
  list: CertificateRevocationList,
): boolean {
  const wanted = point.name ?? { kind: 'full', names: point.crlIssuer ?? [] };
  return shareName(name, wanted, list.issuer);
}

function scopeBytes(list: CertificateRevocationList): Uint8Array | undefined {
  return list.extensions.get(RevocationOid.issuingDistributionPoint)?.value;
}

function keyIdentifierOf(list: CertificateRevocationList): Uint8Array | undefined {
  return list.extensions.authorityKeyIdentifier?.keyIdentifier;
}

function isSameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : bytesEqual(a, b);
}
