export {
  isKeyStrongEnough,
  isSignatureStrongEnough,
  LEVEL_BITS,
  type SecurityLevel,
} from './security-level.ts';
export { type OpensslOptions, type OpensslVerdict, opensslVerdict } from './verdict.ts';
export { X509_VERDICTS, type X509Verdict } from './verdicts.ts';
