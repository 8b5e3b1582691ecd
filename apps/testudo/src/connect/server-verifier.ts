import { bytesEqual } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import type { CertificateToVerify, CertificateVerdict } from '@testudo/tls';
import {
  type AsyncRevocationChecker,
  Certificate,
  CertificateError,
  fetchingChecker,
  firstToKnowAsync,
  type PathTree,
  pathTreeOf,
  peerNameOf,
  type RevocationChecker,
  stapledChecker,
  type TrustStore,
  verifyCertificateAsync,
} from '@testudo/x509';
import { httpFetcher } from '@testudo/x509/node';
import type { LearnedStatus } from '../identity/revocation-sources.ts';

/** A verdict with all that it rests on. */
export interface ServerVerdict extends CertificateVerdict {
  /** Undefined when the chain could not even be read. */
  readonly tree?: PathTree | undefined;
  /** What was learned about revocation, from the leaf up. */
  readonly learned: readonly LearnedStatus[];
}

export interface ServerVerifierOptions {
  readonly trust: () => TrustStore;
  /** Also ask the addresses in the certificates. */
  readonly online: boolean;
}

/** Verifies a server's chain, and says how; what is stapled is believed, and nothing stapled is no fault. */
export function serverVerifier({
  trust,
  online,
}: ServerVerifierOptions): (request: CertificateToVerify) => Promise<ServerVerdict> {
  const fetching = online ? [fetchingChecker({ provider: nodeCrypto, fetch: httpFetcher() })] : [];
  return async (request) => {
    const learned: LearnedStatus[] = [];
    try {
      const found = await verifyCertificateAsync({
        provider: nodeCrypto,
        chain: request.chain.map((der) => Certificate.parse(der)),
        trust: trust(),
        at: new Date(request.now),
        purpose: 'server',
        revocation: noting(firstToKnowAsync(stapled(request), ...fetching), learned),
        name: nameIn(request),
      });
      return { accepted: true, path: found.path, tree: found.tree, learned };
    } catch (error) {
      return { accepted: false, error: error as Error, tree: pathTreeOf(error), learned };
    }
  };
}

/** The OCSP response that came for a certificate of the chain. */
export function stapleFor(certificate: Certificate, request: CertificateToVerify): Uint8Array | undefined {
  const at = request.chain.findIndex((der) => bytesEqual(der, certificate.der));
  return request.ocspResponses?.[at] ?? (at === 0 ? request.ocspResponse : undefined);
}

function stapled(request: CertificateToVerify): RevocationChecker {
  return {
    onUnknown: 'accept',
    check(asked) {
      const responses = asked.path.map((certificate) => stapleFor(certificate, request));
      return stapledChecker({ provider: nodeCrypto, responses }).check(asked);
    },
  };
}

/** The last answers count: a path that was given up has left its own behind. */
function noting(checker: AsyncRevocationChecker, learned: LearnedStatus[]): AsyncRevocationChecker {
  return {
    onUnknown: checker.onUnknown,
    async check(request) {
      const status = await checker.check(request);
      if (request.index === 0) learned.length = 0;
      learned.push({ request, status });
      return status;
    },
  };
}

function nameIn({ name }: CertificateToVerify): ReturnType<typeof peerNameOf> {
  if (name !== undefined) return peerNameOf(name);
  throw new CertificateError('name-mismatch', 'there is no name to check the certificate against');
}
