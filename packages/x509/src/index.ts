export { type AlgorithmIdentifier, type SignatureVerdict, signatureAlgorithmOf } from './algorithm.ts';
export * from './authority/index.ts';
export {
  CertificateAuthority,
  type CertificateAuthorityRequest,
  type CertificateRequest,
  createCertificateAuthority,
  type IssuedCertificate,
  loadCertificateAuthority,
  type RenewalRequest,
} from './authority.ts';
export { DEFAULT_BUDGETS, type VerificationBudgets } from './budget.ts';
export { Certificate, certificateAtFault } from './certificate.ts';
export { allowsDelegation, DELEGATION_USAGE } from './delegation-usage.ts';
export { DistinguishedName, type NameAttribute, type RelativeName } from './distinguished-name.ts';
export type { PublicSuffixTest } from './domain.ts';
export { type BlamedCertificate, CertificateError, type CertificateErrorCode } from './errors.ts';
export {
  type AccessDescription,
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  type Extension,
  Extensions,
  KEY_USAGES,
  type KeyUsage,
  type NameConstraints,
} from './extensions.ts';
export { type GeneralName, type GeneralNameKind, generalNameText } from './general-name.ts';
export { formatIpAddress, parseIpAddress } from './ip-address.ts';
export { type IssuerFetcher, type IssuerFetchOptions, issuerUrls, parseIssuers } from './issuer-fetch.ts';
export { subjectPublicKeyInfoOf } from './leaf-key.ts';
export { type PrivateKeyOptions, parseCertificates, parsePrivateKey } from './load.ts';
export { AccessMethodOid, ExtensionOid, KeyPurposeOid } from './oids.ts';
export * from './openssl/index.ts';
export type { PathPosition } from './path-position.ts';
export {
  type CertificateSource,
  formatPathTree,
  type PathNode,
  type PathTree,
  pathTreeOf,
} from './path-tree.ts';
export {
  matchesName,
  type NameOptions,
  type PeerName,
  peerNameOf,
  toAsciiDomain,
  verifyName,
} from './peer-name.ts';
export { certificateToPem, privateKeyToPem } from './pem.ts';
export * from './pkcs12/index.ts';
export { ANY_POLICY, type PolicyConstraints, type PolicyMapping } from './policy-extensions.ts';
export { type PolicyDemands, validatePolicies } from './policy-graph.ts';
export {
  clientAuthProfile,
  compatibleProfile,
  ikeProfile,
  type KeyName,
  PROFILES,
  type ProfileName,
  rfc5280Profile,
  smimeProfile,
  type VerificationProfile,
  webPkiProfile,
} from './profile.ts';
export type { ProfileRuleName } from './profile-rules.ts';
export type { Purpose, PurposeDemands, PurposeName } from './purpose.ts';
export * from './revocation/index.ts';
export type {
  AsyncRevocationChecker,
  RevocationChecker,
  RevocationRequest,
  RevocationStatus,
} from './revocation-check.ts';
export * from './transparency/index.ts';
export { TrustStore } from './trust-store.ts';
export { VerificationCache } from './verification-cache.ts';
export {
  type AsyncVerifyOptions,
  type VerifiedChain,
  type VerifyOptions,
  verifyCertificate,
  verifyCertificateAsync,
} from './verify.ts';
