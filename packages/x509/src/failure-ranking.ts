import type { CertificateError, CertificateErrorCode } from './errors.ts';

/** How near a failed attempt came to being a path. */
export type Prospect =
  /** The certificate that failed is not by that issuer, and does not say so. */
  | 'unrelated'
  /** It ends nowhere, or the certificate that failed is not by that issuer. */
  | 'none'
  /** The names lead on to a trust anchor. */
  | 'named'
  /** All signatures up to a trust anchor are right. */
  | 'signed';

/** Keeps the failure to report: of the most promising path, and of those the one that says most. */
export class FailureRanking {
  #best: CertificateError | undefined;
  #rank = -1;

  /** Of equals the first counts: the search takes likely issuers first. */
  note(error: CertificateError, prospect: Prospect): void {
    const rank = PROSPECTS[prospect] * 100 + (SPECIFICITY[error.code] ?? 8);
    if (rank <= this.#rank) return;
    this.#best = error;
    this.#rank = rank;
  }

  get best(): CertificateError | undefined {
    return this.#best;
  }
}

const PROSPECTS: Readonly<Record<Prospect, number>> = { unrelated: 0, none: 1, named: 2, signed: 3 };

/** How much an error tells: what only means "not this path" counts least; what is not listed is in the middle. */
const SPECIFICITY: Readonly<Partial<Record<CertificateErrorCode, number>>> = {
  'unknown-issuer': 0,
  'self-signed': 1,
  'path-too-long': 2,
  'bad-signature': 3,
  'not-a-ca': 4,
  'bad-key-usage': 5,
  'bad-extended-key-usage': 6,
  'profile-violation': 7,
  policy: 7,
  'unknown-critical-extension': 9,
  'weak-key': 10,
  'weak-signature': 11,
  'name-constraint': 12,
  'name-mismatch': 12,
  'not-yet-valid': 13,
  expired: 13,
  'revocation-unknown': 13,
  revoked: 14,
  'budget-exceeded': 14,
};
