import type {
  AsyncRevocationChecker,
  RevocationChecker,
  RevocationRequest,
  RevocationStatus,
} from '../revocation-check.ts';

/**
 * Asks one after the other until somebody knows: stapled responses first, then lists. An unknown status that must be
 * refused ends the search, too. Strict when one of them is: unknown everywhere is refused then.
 */
export function firstToKnow(...checkers: readonly RevocationChecker[]): RevocationChecker {
  return {
    onUnknown: strictest(checkers),
    check(request) {
      const gathered = new Gathered();
      for (const checker of checkers) if (gathered.add(checker.check(request))) break;
      return gathered.status;
    },
  };
}

/** As {@link firstToKnow}, among them some that may wait. */
export function firstToKnowAsync(
  ...checkers: readonly (RevocationChecker | AsyncRevocationChecker)[]
): AsyncRevocationChecker {
  return {
    onUnknown: strictest(checkers),
    async check(request: RevocationRequest): Promise<RevocationStatus> {
      const gathered = new Gathered();
      for (const checker of checkers) if (gathered.add(await checker.check(request))) break;
      return gathered.status;
    },
  };
}

/** What was heard so far. */
class Gathered {
  status: RevocationStatus = { status: 'unknown', reason: 'no source was asked' };
  readonly #reasons: string[] = [];

  /** True when no more need be asked. */
  add(status: RevocationStatus): boolean {
    this.status = status;
    if (status.status !== 'unknown' || status.mustRefuse === true) return true;
    this.#reasons.push(status.reason);
    this.status = { status: 'unknown', reason: this.#reasons.join('; ') };
    return false;
  }
}

function strictest(checkers: readonly { readonly onUnknown: 'accept' | 'refuse' }[]): 'accept' | 'refuse' {
  return checkers.some(({ onUnknown }) => onUnknown === 'refuse') ? 'refuse' : 'accept';
}
