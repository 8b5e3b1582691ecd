import type { CryptoProvider } from '@testudo/crypto';
import {
  type AsyncRevocationChecker,
  type Certificate,
  CertificateError,
  firstToKnow,
  firstToKnowAsync,
  type IssuerFetchOptions,
  peerNameOf,
  type RevocationChecker,
  type TrustStore,
  type VerificationProfile,
  verifyCertificate,
  verifyCertificateAsync,
} from '@testudo/x509';
import { verifiedCertificates } from '../handshake/verified-certificates.ts';
import { type RevocationOptions, stapledRevocation } from './stapled-revocation.ts';
import { checkLogged, type TransparencyOptions } from './transparency.ts';
import type { CertificateToVerify, CertificateVerdict, CertificateVerifier } from './verdict.ts';

/** What is demanded of a peer's certificate. */
export interface CertificateVerifierOptions {
  readonly provider: CryptoProvider;
  /** Asked for each verification, so that roots may change. */
  readonly trust: () => TrustStore;
  /** Take a server of any name: the chain alone is enough. Default false. */
  readonly dangerouslyAnyName?: boolean | undefined;
  /** Demands beyond RFC 5280 §6. Default `compatibleProfile`. */
  readonly profile?: VerificationProfile | undefined;
  /** Fetches issuers that the peer did not send; verdicts then come later. Default: none are fetched. */
  readonly issuers?: IssuerFetchOptions | undefined;
  /** Whether certificates are revoked: as stapled responses and others say, or as one says who alone is asked. Default: not asked. */
  readonly revocation?: RevocationOptions | RevocationChecker | undefined;
  /** Servers' certificates must be logged (RFC 6962). Default: need not. */
  readonly transparency?: TransparencyOptions | undefined;
}

/**
 * A verifier with all that can be demanded: a path to a root of `trust` for the wanted name (RFC 5280, RFC 9525) that is
 * not revoked, by what the peer stapled and by whoever else is asked, and logged. Without `revocation`, `issuers` and
 * `transparency` it is `verifyWith`.
 */
export function certificateVerifier(
  options: VerifierAtOnce,
): (request: CertificateToVerify) => CertificateVerdict;
export function certificateVerifier(options: CertificateVerifierOptions): CertificateVerifier;
export function certificateVerifier(options: CertificateVerifierOptions): CertificateVerifier {
  const { issuers } = options;
  const isLater = issuers !== undefined || fetching(options.revocation).length > 0;
  return isLater ? (request) => verdictLater(options, request) : (request) => verdict(options, request);
}

/** Nothing is fetched, and so every verdict is there at once. */
interface VerifierAtOnce extends CertificateVerifierOptions {
  readonly issuers?: undefined;
  readonly revocation?: RevocationChecker | undefined;
}

function verdict(options: CertificateVerifierOptions, request: CertificateToVerify): CertificateVerdict {
  try {
    const asked = known(options, request);
    const { path } = verifyCertificate({
      ...demands(options, request),
      revocation: asked && firstToKnow(...asked),
    });
    return judged(options, request, path);
  } catch (error) {
    return { accepted: false, error: error as Error };
  }
}

async function verdictLater(
  options: CertificateVerifierOptions,
  request: CertificateToVerify,
): Promise<CertificateVerdict> {
  try {
    const { revocation, issuers } = options;
    const asked = known(options, request);
    const { path } = await verifyCertificateAsync({
      ...demands(options, request),
      issuers,
      revocation: asked && firstToKnowAsync(...asked, ...fetching(revocation)),
    });
    return judged(options, request, path);
  } catch (error) {
    return { accepted: false, error: error as Error };
  }
}

function demands(options: CertificateVerifierOptions, request: CertificateToVerify) {
  const { provider, trust, profile } = options;
  const chain = request.chain.map((der) => verifiedCertificates.parse(der));
  const checksName = request.peer === 'server' && options.dangerouslyAnyName !== true;
  if (checksName && request.name === undefined)
    throw new CertificateError(
      'name-mismatch',
      'there is no name to check the certificate against: give a host',
      chain[0],
    );
  return {
    provider,
    chain,
    trust: trust(),
    at: new Date(request.now),
    purpose: request.peer,
    leafKeyUsage: request.keyUsage,
    profile,
    cache: verifiedCertificates,
    ...(checksName ? { name: peerNameOf(request.name!) } : {}),
  } as const;
}

/** Who is asked at once; undefined where nobody is to be asked. Stapled responses first: they cost nothing. */
function known(
  { provider, revocation }: CertificateVerifierOptions,
  request: CertificateToVerify,
): readonly RevocationChecker[] | undefined {
  if (revocation === undefined) return undefined;
  if (isChecker(revocation)) return [revocation];
  const stapled = stapledRevocation(provider, revocation, request);
  return revocation.checker === undefined ? [stapled] : [stapled, revocation.checker];
}

/** Who is asked last, where that takes time. */
function fetching(revocation: CertificateVerifierOptions['revocation']): readonly AsyncRevocationChecker[] {
  if (revocation === undefined || isChecker(revocation) || revocation.fetching === undefined) return [];
  return [revocation.fetching];
}

function isChecker(revocation: RevocationOptions | RevocationChecker): revocation is RevocationChecker {
  return 'check' in revocation;
}

function judged(
  { provider, transparency, revocation }: CertificateVerifierOptions,
  request: CertificateToVerify,
  path: readonly Certificate[],
): CertificateVerdict {
  if (transparency !== undefined && request.peer === 'server') {
    const policy = revocation && !isChecker(revocation) ? revocation.policy : undefined;
    checkLogged(provider, transparency, policy, request, path);
  }
  return { accepted: true, path };
}

/**
 * The default verifier: a path to a root of `trust` for the wanted name (RFC 5280, RFC 9525). A client that gave no
 * name gets no server accepted, unless `dangerouslyAnyName` says that the chain alone is enough.
 */
export function verifyWith(
  provider: CryptoProvider,
  trust: () => TrustStore,
  options: { readonly dangerouslyAnyName?: boolean } = {},
): CertificateVerifier {
  return certificateVerifier({ provider, trust, ...options });
}
