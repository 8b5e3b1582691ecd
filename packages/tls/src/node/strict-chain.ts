import {
  CertificateError,
  type CertificateErrorCode,
  certificateAtFault,
  verifyCertificate,
} from '@testudo/x509';
import { type CertificateToVerify, rejection } from '../certificates/verdict.ts';
import type { TlsError } from '../errors.ts';
import { verifiedCertificates } from '../handshake/verified-certificates.ts';
import { type ChainDemands, type ChainVerdict, type Trust, verdictError } from './chain-verdict.ts';
import { type NodeTlsError, nodeError } from './errors.ts';
import type { Revocation } from './revocation-lists.ts';

/** By RFC 5280 and our own profile, told with the codes of Node. */
export function judgeStrictly(options: ChainDemands, request: CertificateToVerify): ChainVerdict {
  const { provider, trust, revocation } = options;
  const trusted = trust();
  const { anchors, helpers } = trusted;
  try {
    const chain = request.chain.map((der) => verifiedCertificates.parse(der));
    const { path } = verifyCertificate({
      provider,
      chain: helpers.length === 0 ? chain : [...chain, ...helpers],
      trust: anchors,
      at: new Date(request.now),
      purpose: request.peer,
      leafKeyUsage: request.keyUsage,
      cache: verifiedCertificates,
      revocation: revocation?.checker,
    });
    return { path };
  } catch (error) {
    const tlsError = rejection(error as Error);
    const listed =
      error instanceof CertificateError ? listProblem(error, request, tlsError, revocation) : undefined;
    return {
      path: undefined,
      problem: [tlsError, listed ?? verificationError(error, request, tlsError, trusted)],
    };
  }
}

/** Lists that are there and too old are an error of their own. */
function listProblem(
  error: CertificateError,
  { now }: CertificateToVerify,
  cause: TlsError,
  revocation: Revocation | undefined,
): NodeTlsError | undefined {
  const certificate = certificateAtFault(error);
  if (error.code !== 'revocation-unknown' || certificate === undefined) return undefined;
  const problem = revocation?.problem(certificate, new Date(now));
  return problem && nodeError(problem[0], problem[1], cause);
}

/** The error that `node:tls` has for it, with `cause` leading to ours. */
function verificationError(
  error: unknown,
  request: CertificateToVerify,
  cause: TlsError,
  trusted: Trust,
): NodeTlsError {
  if (!(error instanceof CertificateError)) return nodeError('CERT_REJECTED', cause.message, cause);
  const [code, message] = counterpartOf(error, request.chain[0]!, trusted);
  return verdictError(code, message, cause);
}

function counterpartOf(error: CertificateError, leaf: Uint8Array, trusted: Trust): readonly [string, string] {
  const certificate = certificateAtFault(error);
  const isLeaf = certificate !== undefined && Buffer.compare(certificate.der, leaf) === 0;
  if (error.code === 'unknown-issuer' && certificate !== undefined) {
    if (certificate.isSelfIssued) return IN_CHAIN;
    if (isLeaf && !trusted.isPartial) return FIRST_CERTIFICATE;
    return trusted.helpers.some((helper) => helper.equals(certificate)) ? NO_ISSUER : NO_LOCAL_ISSUER;
  }
  if (error.code === 'weak-key' && !isLeaf) return ['CA_KEY_TOO_SMALL', 'CA certificate key too weak'];
  return VERDICTS[error.code] ?? ['CERT_REJECTED', `certificate rejected: ${error.message}`];
}

const IN_CHAIN = ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'] as const;
const FIRST_CERTIFICATE = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'unable to verify the first certificate',
] as const;
const NO_LOCAL_ISSUER = [
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'unable to get local issuer certificate',
] as const;

const NO_ISSUER = ['UNABLE_TO_GET_ISSUER_CERT', 'unable to get issuer certificate'] as const;

/** OpenSSL's X509_V_ERR names and texts. For some of them Node says only `UNSPECIFIED`. */
const VERDICTS: Partial<Record<CertificateErrorCode, readonly [string, string]>> = {
  expired: ['CERT_HAS_EXPIRED', 'certificate has expired'],
  'not-yet-valid': ['CERT_NOT_YET_VALID', 'certificate is not yet valid'],
  'self-signed': ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  'unknown-issuer': NO_LOCAL_ISSUER,
  'bad-signature': ['CERT_SIGNATURE_FAILURE', 'certificate signature failure'],
  'weak-signature': ['CA_MD_TOO_WEAK', 'CA signature digest algorithm too weak'],
  'weak-key': ['EE_KEY_TOO_SMALL', 'EE certificate key too weak'],
  'not-a-ca': ['INVALID_CA', 'invalid CA certificate'],
  'path-too-long': ['PATH_LENGTH_EXCEEDED', 'path length constraint exceeded'],
  'bad-key-usage': ['INVALID_PURPOSE', 'unsuitable certificate purpose'],
  'bad-extended-key-usage': ['INVALID_PURPOSE', 'unsuitable certificate purpose'],
  revoked: ['CERT_REVOKED', 'certificate revoked'],
  'revocation-unknown': ['UNABLE_TO_GET_CRL', 'unable to get certificate CRL'],
  'name-mismatch': ['HOSTNAME_MISMATCH', 'hostname mismatch'],
  'name-constraint': ['PERMITTED_VIOLATION', 'permitted subtree violation'],
  'unknown-critical-extension': ['UNHANDLED_CRITICAL_EXTENSION', 'unhandled critical extension'],
};
