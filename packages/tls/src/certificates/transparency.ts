import type { CryptoProvider } from '@testudo/crypto';
import {
  type Certificate,
  CertificateError,
  checkTransparency,
  type Extensions,
  type LogList,
  type RevocationPolicy,
  type TransparencyPolicy,
  verifyOcspResponse,
} from '@testudo/x509';
import { responseFor } from './stapled-revocation.ts';
import type { CertificateToVerify } from './verdict.ts';

/** Which certificates must be logged, and where (RFC 6962). */
export interface TransparencyOptions {
  /** Asked for each verification: lists grow old. */
  readonly logs: () => LogList;
  /** Default `BROWSER_TRANSPARENCY`. */
  readonly policy?: TransparencyPolicy | undefined;
  /** Roots whose certificates need not be logged, as a company's own. Default: none. */
  readonly exempts?: ((root: Certificate) => boolean) | undefined;
}

/**
 * Timestamps count from the certificate, the TLS extension, and a stapled OCSP response that verifies. A leaf that is
 * itself trusted need not be logged. Throws {@link CertificateError} `not-logged`.
 */
export function checkLogged(
  provider: CryptoProvider,
  { logs, policy, exempts }: TransparencyOptions,
  revocation: RevocationPolicy | undefined,
  request: CertificateToVerify,
  path: readonly Certificate[],
): void {
  const [certificate, issuer] = path;
  const root = path.at(-1);
  if (certificate === undefined || issuer === undefined || exempts?.(root!) === true) return;
  const at = new Date(request.now);
  const response = responseFor(certificate, request);
  let ocspExtensions: Extensions | undefined;
  if (response !== undefined) {
    const finding = verifyOcspResponse({ provider, response, certificate, issuer, at, policy: revocation });
    if (finding.status === 'good') ocspExtensions = finding.answer?.extensions;
  }
  const verdict = checkTransparency({
    ...{ provider, certificate, issuer, at, policy, ocspExtensions },
    logs: logs(),
    tlsList: request.signedCertificateTimestamps,
  });
  if (verdict.complies) return;
  throw new CertificateError(
    'not-logged',
    `the certificate is not logged as required: ${verdict.reason}`,
    certificate,
  );
}
