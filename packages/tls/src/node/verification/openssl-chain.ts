import { CertificateError, opensslVerdict, X509_VERDICTS, type X509Verdict } from '@testudo/x509';
import type { CertificateToVerify } from '../../certificates/verdict.ts';
import { TlsError, type TlsErrorCode } from '../../errors.ts';
import { verifiedCertificates } from '../../handshake/verified-certificates.ts';
import { type ChainDemands, type ChainVerdict, type Problem, verdictError } from './chain-verdict.ts';

/** By OpenSSL's rules. */
export function judgeAsOpenssl(options: ChainDemands, request: CertificateToVerify): ChainVerdict {
  const { provider, trust, revocation, securityLevel: level } = options;
  const { store, isPartial } = trust();
  const at = new Date(request.now);
  try {
    const { path, verdict } = opensslVerdict({
      provider,
      chain: request.chain.map((der) => verifiedCertificates.parse(der)),
      store,
      isPartial,
      at,
      purpose: request.peer,
      level,
      revocation: revocation && ((_, index, path) => revocation.verdict(path, index, at)),
      cache: verifiedCertificates,
    });
    return { path, problem: verdict && problemOf(verdict) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { path: undefined, problem: problemOf('UNSPECIFIED', error) };
  }
}

/** The error that `node:tls` has for a verdict. */
function problemOf(verdict: X509Verdict, cause?: CertificateError): Problem {
  const text = X509_VERDICTS[verdict];
  const tlsError = new TlsError(ALERTS[verdict] ?? 'bad-certificate', cause?.message ?? text, { cause });
  return [tlsError, verdictError(NAMED_BY_NODE.has(verdict) ? verdict : 'UNSPECIFIED', text, tlsError)];
}

/** Of others Node says that it cannot tell. */
const NAMED_BY_NODE: ReadonlySet<X509Verdict> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_REVOKED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
]);

/** What the peer is told where that is done. */
const ALERTS: Partial<Record<X509Verdict, TlsErrorCode>> = {
  CERT_NOT_YET_VALID: 'certificate-expired',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_REVOKED: 'certificate-revoked',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-ca',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-ca',
  INVALID_PURPOSE: 'certificate-unsupported',
};
