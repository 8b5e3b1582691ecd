import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type { RevocationChecker, RevocationRequest, RevocationStatus } from '../revocation-check.ts';
import type { Search } from '../search-requests.ts';
import type { CertificateRevocationList } from './crl.ts';
import type { RevokedEntry } from './crl-entries.ts';
import { coverageOf, defaultPoint, isDeltaOf } from './crl-scope.ts';
import { CrlSigners, type SignerProblem } from './crl-signer.ts';
import { distributionPointsOf } from './distribution-point.ts';
import { RevocationOid } from './oids.ts';
import { type RevocationPolicy, SOFT_FAIL, stalenessOf } from './policy.ts';
import { ALL_REASONS } from './reasons.ts';

export interface CrlCheckerOptions {
  readonly provider: CryptoProvider;
  /** Complete and delta lists, in any order; verified when they are used. A function is asked each time. */
  readonly lists:
    | readonly CertificateRevocationList[]
    | ((request: RevocationRequest) => readonly CertificateRevocationList[]);
  /** Certificates of further CRL issuers. They count when a certificate of the path issued them. Default none. */
  readonly signers?: readonly Certificate[] | undefined;
  /** Default {@link SOFT_FAIL}. */
  readonly policy?: RevocationPolicy | undefined;
}

/** Looks certificates up in CRLs that are at hand (RFC 5280 §6.3). It remembers whose signatures are good. */
export function crlChecker(options: CrlCheckerOptions): RevocationChecker {
  const policy = options.policy ?? SOFT_FAIL;
  const signers = new CrlSigners(options.provider, options.signers ?? []);
  const lists = options.lists;
  const statusOf = (request: RevocationRequest, asked: AskedBefore): RevocationStatus => {
    const known = typeof lists === 'function' ? lists(request) : lists;
    const lookup = statusFromLists(request, known, signers, policy);
    const others = asked.and(request);
    let step = lookup.next();
    while (!step.done) step = lookup.next(others.answerTo(step.value) ?? statusOf(step.value, others));
    return step.value;
  };
  return {
    onUnknown: policy.mode === 'hard-fail' ? 'refuse' : 'accept',
    check(request) {
      if (policy.mode === 'off' || (policy.scope === 'leaf' && request.index > 0)) return { status: 'good' };
      return statusOf(request, new AskedBefore());
    },
  };
}

/** A look-up, which may have to know about the signers of lists first. */
export type Lookup = Generator<RevocationRequest, RevocationStatus, RevocationStatus>;

/** Signers whose signers' signers … are asked about. */
const MOST_LEVELS = 4;

/** The questions that led to a question about a signer, the first one first. */
export class AskedBefore {
  readonly #requests: readonly RevocationRequest[];

  constructor(requests: readonly RevocationRequest[] = []) {
    this.#requests = requests;
  }

  and(request: RevocationRequest): AskedBefore {
    return new AskedBefore([...this.#requests, request]);
  }

  /** The answer to a question that need not or must not be asked once more; undefined when it must be. */
  answerTo({ certificate }: RevocationRequest): RevocationStatus | undefined {
    const [first, ...signers] = this.#requests;
    // Those above are asked about by themselves; without them, there is no path.
    if (first?.path.slice(first.index + 1).some((other) => other.equals(certificate)))
      return { status: 'good' };
    if (
      first?.certificate.equals(certificate) ||
      signers.some((other) => other.certificate.equals(certificate))
    )
      return { status: 'unknown', reason: 'only a list that it signed itself covers it' };
    if (this.#requests.length > MOST_LEVELS)
      return { status: 'unknown', reason: 'too many signers vouch for each other' };
    return undefined;
  }
}

/** What lists say about one certificate. Throws nothing. */
export function* statusFromLists(
  request: RevocationRequest,
  lists: readonly CertificateRevocationList[],
  signers: CrlSigners,
  policy: RevocationPolicy,
): Lookup {
  try {
    const search = new ListSearch(request, lists, signers, policy).status();
    let step = search.next();
    // Nothing is fetched for a path of a signer: about revocation only is asked.
    while (!step.done) step = search.next(step.value.kind === 'revocation' ? yield step.value.request : []);
    return step.value;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { status: 'unknown', reason: error.message };
  }
}

/** RFC 5280 §6.3.3, for one certificate. */
class ListSearch {
  readonly #request: RevocationRequest;
  readonly #complete: readonly CertificateRevocationList[];
  readonly #deltas: readonly CertificateRevocationList[];
  readonly #signers: CrlSigners;
  readonly #policy: RevocationPolicy;
  #problem: string | undefined;

  constructor(
    request: RevocationRequest,
    lists: readonly CertificateRevocationList[],
    signers: CrlSigners,
    policy: RevocationPolicy,
  ) {
    this.#request = request;
    // Of two that are current, the newer one knows more.
    const newestFirst = lists.toSorted((a, b) => +b.thisUpdate - +a.thisUpdate);
    this.#complete = newestFirst.filter((list) => list.baseNumber === undefined);
    this.#deltas = newestFirst.filter((list) => list.baseNumber !== undefined);
    this.#signers = signers;
    this.#policy = policy;
  }

  *status(): Search<RevocationStatus> {
    const { certificate } = this.#request;
    let covered = 0;
    // What the certificate's own key has signed about it counts last: others may know better.
    const isOwn = (list: CertificateRevocationList): boolean => list.issuer.equals(certificate.subject);
    const lists = [...this.#complete.filter((list) => !isOwn(list)), ...this.#complete.filter(isOwn)];
    const points = [...distributionPointsOf(certificate.extensions), defaultPoint(certificate)];
    for (const list of lists)
      for (const point of points) {
        const coverage = this.#attempt(list, () => coverageOf(list, point, certificate)) ?? 0;
        // RFC 5280 §6.3.3 (e): it would say nothing new.
        if ((coverage & ~covered) === 0) continue;
        const found = yield* this.#find(list);
        if (found === undefined) continue;
        if (found !== 'not listed') return revoked(found);
        // Good only when the lists together cover every reason (RFC 5280 §6.3.3 (l)).
        covered |= coverage;
        if (covered === ALL_REASONS) return { status: 'good' };
      }
    if (covered !== 0) return { status: 'unknown', reason: 'the CRLs do not cover all reasons' };
    return { status: 'unknown', reason: this.#problem ?? this.#passedOver() };
  }

  /** What to say when no list was looked into: whether there is none, or one of the issuer that is about something else. */
  #passedOver(): string {
    const { issuer } = this.#request.certificate;
    const isOfIssuer = (list: CertificateRevocationList): boolean => list.issuer.equals(issuer);
    if (this.#complete.some(isOfIssuer))
      return `the CRL of "${issuer.shown}" is not for this certificate (distribution point, or kind of certificate)`;
    if (this.#deltas.some(isOfIssuer))
      return `only a delta of the CRL of "${issuer.shown}" is known, not the complete list`;
    return `no CRL for certificates of "${issuer.shown}" is known`;
  }

  /**
   * The entry of a list that is right in itself, with its newest delta; undefined notes what is wrong with the list. One
   * that is only old or carelessly made says nothing good any more, but what it revoked stays so.
   */
  *#find(list: CertificateRevocationList): Search<RevokedEntry | 'not listed' | undefined> {
    const problem = yield* this.#problemOf(list);
    if (problem?.isVoid === true) return this.#note(list, problem.reason);
    const doubt = problem?.reason ?? this.#doubtAbout(list);
    const { certificate } = this.#request;
    const delta = yield* this.#deltaOf(list);
    return this.#attempt(list, () => {
      // RFC 5280 §6.3.3 (i), (j), (k)
      const change = delta?.find(certificate.serialNumber, certificate.issuer);
      const entry = change ?? list.find(certificate.serialNumber, certificate.issuer);
      // Only a delta can take a certificate off (RFC 5280 §5.3.1): whatever the reason, a complete list lists what is revoked.
      const isListed = entry !== undefined && change?.reason !== 'removeFromCRL';
      if (doubt === undefined) return isListed ? entry : 'not listed';
      return isListed && entry.reason !== 'certificateHold' ? entry : this.#note(list, doubt);
    });
  }

  /** The newest delta to a list that is right in itself (RFC 5280 §6.3.3 (c), (h)). */
  *#deltaOf(list: CertificateRevocationList): Search<CertificateRevocationList | undefined> {
    for (const delta of this.#deltas)
      if (isDeltaOf(delta, list) && this.#doubtAbout(delta) === undefined && !(yield* this.#problemOf(delta)))
        return delta;
    return undefined;
  }

  /** What makes a list void, or with `isVoid` false its silence (RFC 5280 §6.3.3 (f), (g)). */
  *#problemOf(list: CertificateRevocationList): Search<SignerProblem | undefined> {
    const [unknown] = list.unknownCritical;
    if (unknown !== undefined)
      return { reason: `its critical extension ${unknown} is not supported`, isVoid: true };
    const { mode, scope } = this.#policy;
    const onUnknown = scope === 'leaf' ? undefined : mode === 'hard-fail' ? 'refuse' : 'accept';
    return yield* this.#signers.problem(list, this.#request, onUnknown);
  }

  /** What makes its silence void: that it is not current (RFC 5280 §6.3.3 (a)), or carelessly made. */
  #doubtAbout(list: CertificateRevocationList): string | undefined {
    return (
      stalenessOf(list, this.#request.at, this.#policy) ??
      (this.#policy.requiresCrlNumber ? problemOfNumber(list) : undefined)
    );
  }

  #attempt<T>(list: CertificateRevocationList, step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      return this.#note(list, error.message);
    }
  }

  #note(list: CertificateRevocationList, problem: string): undefined {
    this.#problem = `the CRL of "${list.issuer.shown}" cannot be used: ${problem}`;
    return undefined;
  }
}

/** RFC 5280 §5.2.3: there is one, and it is not critical. */
function problemOfNumber({ extensions, number }: CertificateRevocationList): string | undefined {
  if (number === undefined) return 'it has no number (RFC 5280 §5.2.3)';
  const isCritical = extensions.get(RevocationOid.cRLNumber)?.critical === true;
  return isCritical ? 'its number is critical, against RFC 5280 §5.2.3' : undefined;
}

function revoked(entry: RevokedEntry): RevocationStatus {
  return { status: 'revoked', reason: entry.reason, since: entry.revocationDate };
}
