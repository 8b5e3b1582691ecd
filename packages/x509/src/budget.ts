import { CertificateError } from './errors.ts';

/** Limits on the work that one verification may cost. A chain comes from the peer: it must not choose our costs. */
export interface VerificationBudgets {
  /** Signatures verified. Default 100. */
  readonly signatures: number;
  /** Pairs of certificate and possible issuer looked at. Default 2,000. */
  readonly steps: number;
  /** Intermediates in a path, self-issued ones not counted (as many again of those are allowed). Default 8. */
  readonly depth: number;
  /** Pairs of a name and a constraint of its form. Default 250,000. */
  readonly nameConstraintComparisons: number;
  /** Policies and policy mappings looked at, in all paths. Default 100,000. */
  readonly policyNodes: number;
}

export const DEFAULT_BUDGETS: VerificationBudgets = {
  signatures: 100,
  steps: 2_000,
  depth: 8,
  nameConstraintComparisons: 250_000,
  policyNodes: 100_000,
};

type Spendable = Exclude<keyof VerificationBudgets, 'depth'>;

/** Counts down; throws {@link CertificateError} `budget-exceeded` once something is used up. */
export class Budget {
  readonly #left: Record<Spendable, number>;

  constructor(budgets: VerificationBudgets) {
    this.#left = { ...budgets };
  }

  spend(what: Spendable, amount = 1): void {
    this.#left[what] -= amount;
    if (this.#left[what] >= 0) return;
    throw new CertificateError(
      'budget-exceeded',
      `the chain needs more work than is allowed (${what})`,
      undefined,
      undefined,
      'send fewer certificates, or raise the budget',
    );
  }
}
