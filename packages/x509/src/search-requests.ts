import type { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import type { VerificationProfile } from './profile.ts';
import type { RevocationRequest, RevocationStatus } from './revocation-check.ts';

/** What a search for a path has to ask others, who may take time to answer. */
export type SearchRequest =
  /** Certificates that may have issued this one. */
  | { readonly kind: 'issuers'; readonly of: Certificate }
  | { readonly kind: 'revocation'; readonly request: RevocationRequest };

type Answer<R extends SearchRequest> = R extends { readonly kind: 'issuers' }
  ? readonly Certificate[]
  : RevocationStatus;

/** Steps of a search, to be driven at once or after promises. */
export type Search<R> = Generator<SearchRequest, R, unknown>;

/** The only place where an answer gets its type. */
export function* ask<R extends SearchRequest>(request: R): Search<Answer<R>> {
  return (yield request) as Answer<R>;
}

/**
 * Asks about every certificate of a path but the trust anchor, from the leaf up (RFC 5280 §6.1.3 (a)(3)).
 * Throws {@link CertificateError} `revoked` or `revocation-unknown`.
 */
export function* checkRevocation(
  path: readonly Certificate[],
  at: Date,
  onUnknown: 'accept' | 'refuse',
  profile: VerificationProfile,
): Search<void> {
  for (let index = 0; index < path.length - 1; index++) {
    const certificate = path[index]!;
    const request = { certificate, issuer: path[index + 1]!, at, path, index, profile };
    const answer = yield* ask({ kind: 'revocation', request });
    const who = `certificate "${certificate.subject.shown}"`;
    if (answer.status === 'revoked') {
      const since = answer.since === undefined ? '' : ` since ${answer.since.toISOString()}`;
      const reason = answer.reason === undefined ? '' : ` (${answer.reason})`;
      throw new CertificateError('revoked', `${who}: its CA has revoked it${since}${reason}`, certificate);
    }
    if (answer.status === 'unknown' && (onUnknown === 'refuse' || answer.mustRefuse === true))
      throw new CertificateError(
        'revocation-unknown',
        `${who}: it is not known whether it is revoked: ${answer.reason}`,
        certificate,
      );
  }
}
