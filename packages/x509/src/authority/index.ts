export {
  CertificationRequest,
  type CertificationRequestContent,
  createCertificationRequest,
} from './certification-request.ts';
export { buildCrl, type CrlContent, type CrlEntryContent } from './crl-builder.ts';
export {
  type CertificateDatabase,
  type CertificateRecord,
  type CertificateRevocation,
  type CrlState,
  MemoryCertificateDatabase,
  serialKey,
} from './database.ts';
export {
  AuthorityError,
  type CrlRequest,
  ManagedAuthority,
  type OcspSigner,
  type RevokeRequest,
} from './managed-authority.ts';
export { answerOcspRequest, type OcspResponderOptions, ocspErrorResponse } from './ocsp-responder.ts';
export type { Publication } from './publication.ts';
export type { SigningRules } from './request-rules.ts';
export { createSelfSignedCertificate, type SelfSignedRequest } from './self-signed.ts';
export { distinguishedNameOf, type SubjectAttributes } from './subject.ts';
export { type CertificatePurpose, type CertificateTemplate, TEMPLATES } from './templates.ts';
