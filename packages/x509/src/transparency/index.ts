export { type CertificateLog, LogList, type LogState } from './log-list.ts';
export {
  BROWSER_TRANSPARENCY,
  checkTransparency,
  type TransparencyCheck,
  type TransparencyPolicy,
  type TransparencyVerdict,
} from './policy.ts';
export { precertificateTbs } from './precertificate.ts';
export {
  embeddedScts,
  encodeSctList,
  ocspScts,
  parseSctList,
  type SctOrigin,
  type SignedCertificateTimestamp,
} from './sct.ts';
export { type SctVerdict, type SctVerification, verifySct } from './verify-sct.ts';
