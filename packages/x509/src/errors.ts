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
  /** Too few logs that count have promised to publish it (RFC 6962). */
  | 'not-logged'
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

/** The certificate that an error is about, as far as an error needs to know it: `certificateAtFault` gives all of it. */
export interface BlamedCertificate {
  /** The whole certificate, DER. */
  readonly der: Uint8Array;
  readonly serialNumber: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly issuer: { toString(): string };
  readonly subject: { readonly commonName: string | undefined; toString(): string };
}

/** What this package throws. `pathTreeOf` tells the paths that were tried, when it is path validation that failed. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: CertificateErrorCode;
  /** What to do about it, for people. */
  readonly hint: string;
  /** The certificate that is at fault, when there is one. */
  certificate: BlamedCertificate | undefined;

  /** @param hint said after the message. Default: what usually helps against this code; then only in {@link hint}. */
  constructor(
    code: CertificateErrorCode,
    message: string,
    certificate?: BlamedCertificate,
    cause?: unknown,
    hint?: string,
  ) {
    super(hint === undefined ? message : `${message}; ${hint}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.certificate = certificate;
    this.hint = hint ?? HINTS[code];
  }
}

const HINTS: Readonly<Record<CertificateErrorCode, string>> = {
  malformed: 'issue the certificate again with software that follows RFC 5280',
  expired: 'renew the certificate, or set the clock',
  'not-yet-valid': 'set the clock, or wait until the certificate is valid',
  'unknown-issuer': 'trust the root if you trust it, or let the peer send the missing intermediate',
  'self-signed': 'add the certificate to the trust store, or get one from a CA',
  'bad-signature':
    'check whether the file is damaged, or the trust store holds another CA with the same name',
  'weak-signature': 'issue the certificate again with SHA-256 or better',
  'weak-key': 'issue the certificate again with a longer key',
  'unsupported-algorithm': 'issue the certificate again with RSA, ECDSA or Ed25519',
  'name-mismatch': 'use a name that the certificate covers, or issue one for this name',
  'not-a-ca': 'have a CA issue the certificate, or issue the CA again with basicConstraints',
  'path-too-long': 'use a shorter chain, or a CA that may have CAs below it',
  'bad-key-usage': 'issue the certificate again with the key usage that is needed',
  'bad-extended-key-usage': 'issue the certificate again for the purpose that is needed',
  'name-constraint': 'get a certificate from a CA that may vouch for the name',
  'unknown-critical-extension': 'issue the certificate again without it, or mark it as not critical',
  'unsupported-version': 'issue the certificate again as version 3',
  revoked: 'get a new certificate, with a new key if the old one may be known to others',
  'revocation-unknown': 'make the CA\u2019s list or responder reachable, or accept an unknown status',
  'not-logged': 'get a certificate from a CA that logs what it issues, or trust the logs that it uses',
  policy: 'get a certificate under the required policy, or accept other policies',
  'profile-violation': 'issue the certificate again as the profile requires, or use a more lenient profile',
  'budget-exceeded': 'send fewer certificates, or raise the budget',
  'encrypted-key': 'decrypt the key first: openssl pkey -in key.pem -out plain.pem',
  'wrong-password': 'give the password that it was encrypted with',
};

/** Runs a step and says which certificate is at fault, where the step could not know. */
export function blame<T>(certificate: BlamedCertificate, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof CertificateError) error.certificate ??= certificate;
    throw error;
  }
}
