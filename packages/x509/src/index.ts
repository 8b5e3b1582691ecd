export { type AlgorithmIdentifier, type SignatureVerdict, signatureAlgorithmOf } from './algorithm.ts';
export {
  CertificateAuthority,
  type CertificateAuthorityRequest,
  type CertificateRequest,
  createCertificateAuthority,
  type IssuedCertificate,
  loadCertificateAuthority,
} from './authority.ts';
export { DEFAULT_BUDGETS, type VerificationBudgets } from './budget.ts';
export { Certificate } from './certificate.ts';
export { DistinguishedName, type NameAttribute, type RelativeName } from './distinguished-name.ts';
export { CertificateError, type CertificateErrorCode } from './errors.ts';
export {
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
export { parseCertificates, parsePrivateKey } from './load.ts';
export { ExtensionOid, KeyPurposeOid } from './oids.ts';
export { matchesName, type PeerName, peerNameOf, toAsciiDomain, verifyName } from './peer-name.ts';
export { certificateToPem, privateKeyToPem } from './pem.ts';
export {
  compatibleProfile,
  type PathPosition,
  type ProfileRule,
  type VerificationProfile,
} from './profile.ts';
export type {
  AsyncRevocationChecker,
  RevocationChecker,
  RevocationRequest,
  RevocationStatus,
} from './revocation-check.ts';
export { rfc5280Profile, webPkiProfile } from './strict-profiles.ts';
export { TrustStore } from './trust-store.ts';
export { type VerifiedChain, type VerifyOptions, verifyCertificate } from './verify.ts';
