import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type { RevocationChecker, RevocationRequest, RevocationStatus } from '../revocation-check.ts';
import type { CertificateRevocationList } from './crl.ts';
import type { RevokedEntry } from './crl-entries.ts';
import { coverageOf, defaultPoint, isDeltaOf } from './crl-scope.ts';
import { CrlSigners } from './crl-signer.ts';
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
  return {
    onUnknown: policy.mode === 'hard-fail' ? 'refuse' : 'accept',
    check(request) {
      if (policy.mode === 'off' || (policy.scope === 'leaf' && request.index > 0)) return { status: 'good' };
      const known = typeof lists === 'function' ? lists(request) : lists;
      return statusFromLists(request, known, signers, policy);
    },
  };
}

/** What lists say about one certificate. Throws nothing. */
export function statusFromLists(
  request: RevocationRequest,
  lists: readonly CertificateRevocationList[],
  signers: CrlSigners,
  policy: RevocationPolicy,
): RevocationStatus {
  try {
    return new Lookup(request, lists, signers, policy).status();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { status: 'unknown', reason: error.message };
  }
}

/** RFC 5280 §6.3.3, for one certificate. */
class Lookup {
  readonly #request: RevocationRequest;
  readonly #complete: readonly CertificateRevocationList[];
  readonly #deltas: readonly CertificateRevocationList[];
  readonly #signers: CrlSigners;
  readonly #policy: RevocationPolicy;
  #problem: string;

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
    this.#problem = `no CRL for certificates of "${request.certificate.issuer.shown}" is known`;
  }

  status(): RevocationStatus {
    const { certificate } = this.#request;
    let covered = 0;
    for (const point of [...distributionPointsOf(certificate.extensions), defaultPoint(certificate)])
      for (const list of this.#complete) {
        const coverage = this.#attempt(list, () => coverageOf(list, point, certificate)) ?? 0;
        if ((coverage & ~covered) === 0) continue;
        const found = this.#attempt(list, () => this.#find(list));
        if (found === undefined) continue;
        if (found !== 'not listed') return revoked(found);
        covered |= coverage;
        if (covered === ALL_REASONS) return { status: 'good' };
      }
    if (covered !== 0) return { status: 'unknown', reason: 'the CRLs do not cover all reasons' };
    return { status: 'unknown', reason: this.#problem };
  }

  /**
   * The entry of a list that is right in itself, with its newest delta; undefined notes what is wrong with the list. One
   * that is only old or carelessly made says nothing good any more, but what it revoked stays so.
   */
  #find(list: CertificateRevocationList): RevokedEntry | 'not listed' | undefined {
    const problem = this.#problemOf(list);
    if (problem !== undefined) return this.#note(list, problem);
    const doubt = this.#doubtAbout(list);
    const { certificate } = this.#request;
    const delta = this.#deltas.find(
      (other) =>
        isDeltaOf(other, list) &&
        this.#problemOf(other) === undefined &&
        this.#doubtAbout(other) === undefined,
    );
    const change = delta?.find(certificate.serialNumber, certificate.issuer);
    const entry = change ?? list.find(certificate.serialNumber, certificate.issuer);
    // Only a delta can take a certificate off (RFC 5280 §5.3.1): whatever the reason, a complete list lists what is revoked.
    const isListed = entry !== undefined && change?.reason !== 'removeFromCRL';
    if (doubt === undefined) return isListed ? entry : 'not listed';
    return isListed && entry.reason !== 'certificateHold' ? entry : this.#note(list, doubt);
  }

  /** What makes a list void. */
  #problemOf(list: CertificateRevocationList): string | undefined {
    const [unknown] = list.unknownCritical;
    if (unknown !== undefined) return `its critical extension ${unknown} is not supported`;
    return this.#signers.problem(list, this.#request);
  }

  /** What makes its silence void. */
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
    this.#problem = `the CRL of "${list.issuer.shown}" is of no use: ${problem}`;
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
