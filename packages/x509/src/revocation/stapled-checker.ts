import type { CryptoProvider } from '@testudo/crypto';
import { CertificateError } from '../errors.ts';
import type { RevocationChecker, RevocationRequest, RevocationStatus } from '../revocation-check.ts';
import { demandsStapling } from './must-staple.ts';
import { verifyOcspResponse } from './ocsp-verify.ts';
import { type RevocationPolicy, SOFT_FAIL } from './policy.ts';

export interface StapledCheckerOptions {
  readonly provider: CryptoProvider;
  /**
   * What the peer stapled, DER: to its own certificate, then to those above it in the path (TLS 1.3 can carry one for
   * each). Missing ones are undefined.
   */
  readonly responses: readonly (Uint8Array | undefined)[];
  /** Default {@link SOFT_FAIL}. */
  readonly policy?: RevocationPolicy | undefined;
}

/**
 * Believes stapled OCSP responses that verify against the path (RFC 6066 §8). A leaf that demands stapling (RFC 7633)
 * and has none that is good is refused whatever else is known, unless the policy says otherwise.
 */
export function stapledChecker(options: StapledCheckerOptions): RevocationChecker {
  const policy = options.policy ?? SOFT_FAIL;
  return {
    onUnknown: policy.mode === 'hard-fail' ? 'refuse' : 'accept',
    check(request) {
      if (policy.mode === 'off' || (policy.scope === 'leaf' && request.index > 0)) return { status: 'good' };
      const status = statusOf(request, options, policy);
      const isDemanded =
        status.status === 'unknown' && request.index === 0 && policy.enforceMustStaple && demands(request);
      if (!isDemanded) return status;
      return {
        status: 'unknown',
        reason: `the certificate requires a stapled OCSP response (RFC 7633): ${status.reason}`,
        mustRefuse: true,
      };
    },
  };
}

function statusOf(
  { certificate, issuer, at, index, profile }: RevocationRequest,
  { provider, responses }: StapledCheckerOptions,
  policy: RevocationPolicy,
): RevocationStatus {
  const response = responses[index];
  if (response === undefined) return { status: 'unknown', reason: 'no OCSP response is stapled' };
  return verifyOcspResponse({ provider, response, certificate, issuer, at, policy, profile });
}

/** A demand that cannot be read is one. */
function demands({ certificate }: RevocationRequest): boolean {
  try {
    return demandsStapling(certificate);
  } catch (error) {
    if (error instanceof CertificateError) return true;
    throw error;
  }
}
