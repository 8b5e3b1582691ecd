import { type Certificate, CertificateError, type CertificateErrorCode } from '@testudo/x509';
import { TlsError, type TlsErrorCode } from '../errors.ts';

/** What a verifier gets to see. */
export interface CertificateToVerify {
  /** X.509, DER, the leaf first; the rest as the peer sent it, in no order that can be relied on. */
  readonly chain: readonly Uint8Array[];
  /** `server` when a client verifies, `client` when a server does. */
  readonly peer: 'server' | 'client';
  /** The name or IP address the client wanted; undefined on a server. */
  readonly name: string | undefined;
  /** The stapled OCSP response, DER. */
  readonly ocspResponse: Uint8Array | undefined;
  /** The stapled OCSP responses by the certificates' places in the chain. */
  readonly ocspResponses?: readonly (Uint8Array | undefined)[] | undefined;
  /** SignedCertificateTimestampList (RFC 6962 §3.3), as it came outside the certificate. */
  readonly signedCertificateTimestamps?: Uint8Array | undefined;
  /**
   * What the leaf's key did in the handshake, which keyUsage must allow where it is there (RFC 5246 §7.4.2, RFC 9846
   * §4.5.1.2): signed, or decrypted the client's secret. Undefined where nobody says.
   */
  readonly keyUsage?: 'digitalSignature' | 'keyEncipherment' | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface CertificateVerdict {
  /** False ends the handshake with the alert that fits `error`. */
  readonly accepted: boolean;
  /** Why the certificate is not good; may stand next to `accepted: true` when the user takes it all the same. */
  readonly error?: Error | undefined;
  /** From the leaf to the trust anchor, when a path was found. */
  readonly path?: readonly Certificate[] | undefined;
}

/** Decides on a peer's certificate, at once or later. */
export type CertificateVerifier = (
  request: CertificateToVerify,
) => CertificateVerdict | Promise<CertificateVerdict>;

/** A verifier that asks another and accepts whatever it says: the error stays visible, the handshake goes on. */
export function dangerouslyAccept(verifier: CertificateVerifier): CertificateVerifier {
  const accept = (verdict: CertificateVerdict): CertificateVerdict => ({ ...verdict, accepted: true });
  return (request) => {
    const verdict = verifier(request);
    return verdict instanceof Promise ? verdict.then(accept) : accept(verdict);
  };
}

const ALERT_CODES: Partial<Record<CertificateErrorCode, TlsErrorCode>> = {
  expired: 'certificate-expired',
  'not-yet-valid': 'certificate-expired',
  'unknown-issuer': 'unknown-ca',
  'self-signed': 'unknown-ca',
  'bad-extended-key-usage': 'certificate-unsupported',
  'bad-key-usage': 'certificate-unsupported',
  revoked: 'certificate-revoked',
  'revocation-unknown': 'bad-certificate-status',
  'not-logged': 'certificate-unknown',
};

/** The error, and so the alert, for a certificate that was not accepted (RFC 9846 §6.2). */
export function rejection(error: Error | undefined, peer: 'client' | 'server' = 'server'): TlsError {
  const message = error?.message ?? 'the verifier did not accept the certificate';
  if (error instanceof TlsError) return error;
  if (!(error instanceof CertificateError)) {
    return new TlsError('certificate-unknown', message, { cause: error });
  }
  const code = ALERT_CODES[error.code] ?? 'bad-certificate';
  // That alert is about what a server stapled.
  const isMissing = peer === 'client' && code === 'bad-certificate-status';
  return new TlsError(isMissing ? 'certificate-unknown' : code, message, { cause: error });
}
