import type { DetailedPeerCertificate } from 'node:tls';
import type { CryptoProvider } from '@testudo/crypto';
import {
  type Certificate,
  CertificateError,
  type CertificateErrorCode,
  type TrustStore,
  verifyCertificate,
} from '@testudo/x509';
import { type CertificateToVerify, type CertificateVerifier, rejection } from '../certificate-verdict.ts';
import { TlsError } from '../errors.ts';
import { verifiedCertificates } from '../handshake/verified-certificates.ts';
import { type NodeTlsError, nodeError, setCounterpart } from './errors.ts';
import { nameMismatch } from './identity.ts';
import { detailedCertificate } from './peer-certificate.ts';
import type { Revocation } from './revocation-lists.ts';
import { SYSTEM_CA_HINT } from './running-node.ts';
import type { Strictness } from './strictness.ts';

/** A custom check of the server's name; an error that it returns, or throws, refuses the certificate. */
export type IdentityCheck = (hostname: string, cert: DetailedPeerCertificate) => Error | undefined;

/** Whom a side trusts. */
export interface Trust {
  readonly anchors: TrustStore;
  /** They help to find a path, as if the peer had sent them. */
  readonly helpers: readonly Certificate[];
  /** Whether a path may end at an anchor that is no root. */
  readonly isPartial: boolean;
}

/** What a verifier goes by. */
export interface VerifierOptions {
  readonly provider: CryptoProvider;
  readonly trust: () => Trust;
  readonly strictness: Strictness;
  /** Counts where the verdict is passed within the handshake. */
  readonly rejectUnauthorized: boolean;
  readonly revocation?: Revocation | undefined;
  /** How names are checked, where it is not by the built-in way. */
  readonly check?: IdentityCheck | undefined;
}

/**
 * Verifies a peer's chain and, for a server's, its name. What is wrong is told with the codes of `node:tls`. Without
 * `verdictInHandshake` the handshake goes on in any case, and what becomes of the error is decided after it, as in Node; with
 * it that is so with `rejectUnauthorized` false.
 */
export function verifier(options: VerifierOptions): CertificateVerifier {
  const { strictness, rejectUnauthorized } = options;
  const refuses = strictness.verdictInHandshake && rejectUnauthorized;
  return (request) => {
    const { path, problem } = judgeChain(options, request);
    const [tlsError, shown] = problem ?? judgeName(options, request, path) ?? [];
    if (shown === undefined) return { accepted: true, path };
    return refuses
      ? { accepted: false, error: setCounterpart(tlsError!, shown) }
      : { accepted: true, error: shown, path };
  };
}

/** The engine's error, and Node's. */
type Problem = readonly [TlsError, Error];

interface ChainVerdict {
  readonly path: readonly Certificate[] | undefined;
  readonly problem?: Problem | undefined;
}

function judgeChain(options: VerifierOptions, request: CertificateToVerify): ChainVerdict {
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

/** Undefined when the name is right, or is left to others: to a check of the program's own after the handshake. */
function judgeName(
  { strictness, check }: VerifierOptions,
  { peer, name, chain }: CertificateToVerify,
  path: readonly Certificate[] | undefined,
): Problem | undefined {
  if (peer !== 'server' || path === undefined) return undefined;
  // A name that nobody gave is no name: without this, any certificate of any site would do.
  const wanted = name ?? (strictness.verdictInHandshake ? '' : undefined);
  if (wanted === undefined) return undefined;
  if (check !== undefined) {
    const refused = strictness.verdictInHandshake ? runCheck(check, wanted, path) : undefined;
    return refused && [new TlsError('bad-certificate', refused.message, { cause: refused }), refused];
  }
  const mismatch = nameMismatch(wanted, chain[0]!, strictness);
  return mismatch && [rejection((mismatch.cause as Error | undefined) ?? mismatch), mismatch];
}

function runCheck(check: IdentityCheck, name: string, path: readonly Certificate[]): Error | undefined {
  try {
    return (
      check(name, detailedCertificate(path.map(({ der }) => der)) as DetailedPeerCertificate) ?? undefined
    );
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Lists that are there and too old are an error of their own. */
function listProblem(
  error: CertificateError,
  { now }: CertificateToVerify,
  cause: TlsError,
  revocation: Revocation | undefined,
): NodeTlsError | undefined {
  if (error.code !== 'revocation-unknown' || error.certificate === undefined) return undefined;
  const problem = revocation?.problem(error.certificate, new Date(now));
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
  const [code, message] = opensslVerdict(error, request.chain[0]!, trusted);
  return nodeError(code, HINTED.has(code) ? message + SYSTEM_CA_HINT : message, cause);
}

function opensslVerdict(
  error: CertificateError,
  leaf: Uint8Array,
  trusted: Trust,
): readonly [string, string] {
  const { certificate } = error;
  const isLeaf = certificate !== undefined && Buffer.compare(certificate.der, leaf) === 0;
  if (error.code === 'unknown-issuer' && certificate !== undefined) {
    if (certificate.isSelfIssued) return IN_CHAIN;
    if (isLeaf && !trusted.isPartial) return FIRST_CERTIFICATE;
    return trusted.helpers.some((helper) => helper.equals(certificate)) ? NO_ISSUER : NO_LOCAL_ISSUER;
  }
  if (error.code === 'weak-key' && !isLeaf) return ['CA_KEY_TOO_SMALL', 'CA certificate key too weak'];
  return VERDICTS[error.code] ?? ['CERT_REJECTED', `certificate rejected: ${error.message}`];
}

const HINTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
]);

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
