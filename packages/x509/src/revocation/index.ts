export { ExpiringCache } from './cache.ts';
export { firstToKnow, firstToKnowAsync } from './combine.ts';
export { CertificateRevocationList, MAXIMUM_CRL_LENGTH } from './crl.ts';
export { type CrlCheckerOptions, crlChecker } from './crl-checker.ts';
export type { RevokedEntry } from './crl-entries.ts';
export {
  type DistributionPoint,
  type DistributionPointName,
  distributionPointsOf,
  freshestCrlOf,
  httpUrlsOf,
  type IssuingDistributionPoint,
  ocspUrlsOf,
} from './distribution-point.ts';
export type { Fetcher, FetchRequest, FetchResponse } from './fetch.ts';
export { type FetchingCheckerOptions, fetchingChecker } from './fetching-checker.ts';
export { demandsStapling, tlsFeaturesOf } from './must-staple.ts';
export { type OcspCertificateId, ocspCertificateId } from './ocsp-certificate-id.ts';
export {
  encodeOcspRequest,
  OCSP_REQUEST_LIMITS,
  type OcspRequest,
  parseOcspRequest,
  type ReceivedOcspRequest,
} from './ocsp-request.ts';
export {
  type BasicOcspResponse,
  OCSP_RESPONSE_LIMITS,
  type OcspCertificateStatus,
  type OcspResponse,
  type OcspResponseStatus,
  type OcspSingleResponse,
  parseOcspResponse,
} from './ocsp-response.ts';
export { type OcspFinding, type OcspVerification, verifyOcspResponse } from './ocsp-verify.ts';
export { HARD_FAIL, NO_REVOCATION, type RevocationPolicy, SOFT_FAIL } from './policy.ts';
export { REVOCATION_REASONS, type RevocationReason } from './reasons.ts';
export { type StapledCheckerOptions, stapledChecker } from './stapled-checker.ts';
export { OcspStapler, type OcspStaplerOptions, type StaplerClock, type StaplerEvent } from './stapler.ts';
