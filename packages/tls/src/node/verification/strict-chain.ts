import {
  CertificateError,
  type CertificateErrorCode,
  certificateAtFault,
  X509_VERDICTS,
  type X509Verdict,
} from '@testudo/x509';
import { certificateVerifier } from '../../certificates/certificate-verifier.ts';
import { type CertificateToVerify, rejection } from '../../certificates/verdict.ts';
import type { TlsError } from '../../errors.ts';
import { type NodeTlsError, nodeError } from '../errors/errors.ts';
import type { Revocation } from '../material/revocation-lists.ts';
import { type ChainDemands, type ChainVerdict, type Trust, verdictError } from './chain-verdict.ts';

/** By the engine's own verifier, told with the codes of Node. */
export function strictJudge({
  provider,
  trust,
  revocation,
}: ChainDemands): (request: CertificateToVerify) => ChainVerdict {
  const verify = certificateVerifier({
    provider,
    trust: () => trust().anchors,
    // Names are looked at when the chain is good, as Node does or as the program says.
    dangerouslyAnyName: true,
    revocation: revocation?.checker,
  });
  return (request) => {
    const trusted = trust();
    const helpers = trusted.helpers.map(({ der }) => der);
    const { path, error } = verify({ ...request, chain: [...request.chain, ...helpers] });
    if (error === undefined) return { path };
    const tlsError = rejection(error, request.peer);
    const listed =
      error instanceof CertificateError ? listProblem(error, request, tlsError, revocation) : undefined;
    const shown = listed ?? verificationError(error, request, tlsError, trusted);
    return { path: undefined, problem: [tlsError, shown] };
  };
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
  const verdict = counterpartOf(error, request.chain[0]!, trusted);
  if (verdict === undefined)
    return nodeError('CERT_REJECTED', `certificate rejected: ${error.message}`, cause);
  return verdictError(verdict, X509_VERDICTS[verdict], cause);
}

function counterpartOf(error: CertificateError, leaf: Uint8Array, trusted: Trust): X509Verdict | undefined {
  const certificate = certificateAtFault(error);
  const isLeaf = certificate !== undefined && Buffer.compare(certificate.der, leaf) === 0;
  if (error.code === 'unknown-issuer' && certificate !== undefined) {
    if (certificate.isSelfIssued) return 'SELF_SIGNED_CERT_IN_CHAIN';
    if (isLeaf && !trusted.isPartial) return 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    const isHelper = trusted.helpers.some((helper) => helper.equals(certificate));
    return isHelper ? 'UNABLE_TO_GET_ISSUER_CERT' : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  }
  if (error.code === 'weak-key' && !isLeaf) return 'CA_KEY_TOO_SMALL';
  return VERDICTS[error.code];
}

/** What OpenSSL says of the same. For some of them Node says only `UNSPECIFIED`. */
const VERDICTS: Partial<Record<CertificateErrorCode, X509Verdict>> = {
  expired: 'CERT_HAS_EXPIRED',
  'not-yet-valid': 'CERT_NOT_YET_VALID',
  'self-signed': 'DEPTH_ZERO_SELF_SIGNED_CERT',
  'unknown-issuer': 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'bad-signature': 'CERT_SIGNATURE_FAILURE',
  'weak-signature': 'CA_MD_TOO_WEAK',
  'weak-key': 'EE_KEY_TOO_SMALL',
  'not-a-ca': 'INVALID_CA',
  'path-too-long': 'PATH_LENGTH_EXCEEDED',
  'bad-key-usage': 'INVALID_PURPOSE',
  'bad-extended-key-usage': 'INVALID_PURPOSE',
  revoked: 'CERT_REVOKED',
  'revocation-unknown': 'UNABLE_TO_GET_CRL',
  'name-constraint': 'PERMITTED_VIOLATION',
  'unknown-critical-extension': 'UNHANDLED_CRITICAL_EXTENSION',
};
