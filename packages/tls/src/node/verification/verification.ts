import type { DetailedPeerCertificate } from 'node:tls';
import type { Certificate } from '@testudo/x509';
import { type CertificateToVerify, type CertificateVerifier, rejection } from '../../certificates/verdict.ts';
import { TlsError } from '../../errors.ts';
import type { Strictness } from '../context/strictness.ts';
import { setCounterpart } from '../errors/errors.ts';
import type { ChainDemands, Problem } from './chain-verdict.ts';
import { nameMismatch } from './identity.ts';
import type { IdentityCheck } from './identity-check.ts';
import { judgeAsOpenssl } from './openssl-chain.ts';
import { detailedCertificate } from './peer-certificate.ts';
import { strictJudge } from './strict-chain.ts';

/** What a verifier goes by. */
export interface VerifierOptions extends ChainDemands {
  readonly strictness: Strictness;
  /** Counts where the verdict is passed within the handshake. */
  readonly rejectUnauthorized: boolean;
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
  const judge = strictness.certificates
    ? strictJudge(options)
    : (request: CertificateToVerify) => judgeAsOpenssl(options, request);
  return (request) => {
    const { path, problem } = judge(request);
    const [tlsError, shown] = problem ?? judgeName(options, request, path) ?? [];
    if (shown === undefined) return { accepted: true, path };
    return refuses
      ? { accepted: false, error: setCounterpart(tlsError!, shown) }
      : { accepted: true, error: shown, path };
  };
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
