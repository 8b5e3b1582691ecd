import type { Certificate } from './certificate.ts';

/** Why a certificate or a chain is refused. Stable: programs may match on it. */
export type CertificateErrorCode =
  /** Not a certificate, key or extension that the standards allow. */
  | 'malformed'
  /** `notAfter` has passed. */
  | 'expired'
  /** `notBefore` is still to come. */
  | 'not-yet-valid'
  /** No trusted root issued it, or an intermediate is missing. */
  | 'unknown-issuer'
  /** It vouches for itself and is not in the trust store. */
  | 'self-signed'
  /** A signature in the chain does not verify. */
  | 'bad-signature'
  /** Made with MD5, SHA-1 or another hash that no longer protects. */
  | 'weak-signature'
  /** The key is too short. */
  | 'weak-key'
  /** A key or signature algorithm that the provider or this package does not have. */
  | 'unsupported-algorithm'
  /** The peer is someone else. */
  | 'name-mismatch'
  /** It issued a certificate without being a CA. */
  | 'not-a-ca'
  /** A pathLenConstraint, or the limit on intermediates, is exceeded. */
  | 'path-too-long'
  /** keyUsage does not allow what the key is used for. */
  | 'bad-key-usage'
  /** extendedKeyUsage does not allow the purpose. */
  | 'bad-extended-key-usage'
  /** A CA's name constraints do not allow the name. */
  | 'name-constraint'
  /** A critical extension that this package does not process. */
  | 'unknown-critical-extension'
  /** Version 1 or 2 where version 3 is needed. */
  | 'unsupported-version'
  /** Its issuer has revoked it. */
  | 'revoked'
  /** Nothing tells whether it is revoked, and the caller wants to know. */
  | 'revocation-unknown'
  /** No certificate policy that is asked for holds for the whole path. */
  | 'policy'
  /** A rule of the chosen profile is broken. */
  | 'profile-violation'
  /** Verification would cost more than the caller allows. */
  | 'budget-exceeded'
  /** The private key or the file is encrypted, and no password was given. */
  | 'encrypted-key'
  /** The password does not open the file, or the file was altered: the two cannot be told apart. */
  | 'wrong-password';

/** What this package throws. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: CertificateErrorCode;
  /** The certificate that is at fault, when there is one. */
  certificate: Certificate | undefined;

  constructor(code: CertificateErrorCode, message: string, certificate?: Certificate, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.certificate = certificate;
  }
}

/** Runs a step and says which certificate is at fault, where the step could not know. */
export function blame<T>(certificate: Certificate, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof CertificateError) error.certificate ??= certificate;
    throw error;
  }
}
