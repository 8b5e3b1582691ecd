import { bytesEqual, toHex } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { acceptedSignature, breachOfKey, isBreach } from '../algorithm-demands.ts';
import { Budget, DEFAULT_BUDGETS } from '../budget.ts';
import type { Certificate } from '../certificate.ts';
import { CertificateChecks } from '../checks.ts';
import { CertificateError } from '../errors.ts';
import { keyInPath } from '../inherited-parameters.ts';
import { PathSearch } from '../path-search.ts';
import { compatibleProfile } from '../profile.ts';
import type { PurposeDemands } from '../purpose.ts';
import type { RevocationRequest } from '../revocation-check.ts';
import type { Search } from '../search-requests.ts';
import { isValidAt } from '../signed-data.ts';
import { TrustStore } from '../trust-store.ts';
import type { CertificateRevocationList } from './crl.ts';

/** Signatures tried on one list: names may be shared by several keys. */
const MOST_SIGNERS = 8;

/** What a certificate must be good for to sign lists. */
const CRL_SIGNER: PurposeDemands = { title: 'CRL issuer', extendedKeyUsage: [], keyUsage: ['cRLSign'] };

/**
 * What is wrong with who signed a list. With `isVoid` the list says nothing at all; without, its silence says nothing
 * good, but what it revoked is revoked.
 */
export interface SignerProblem {
  readonly reason: string;
  readonly isVoid: boolean;
}

/**
 * Finds who signed lists, and remembers it. A signer is a certificate of the path above the one in question, or one
 * of `others` with a path of its own to the same trust anchor, which is validated whole (RFC 5280 §6.3.3 (f)). It must be
 * allowed to sign CRLs, and its key must be such as the profile of the path accepts.
 */
export class CrlSigners {
  readonly #provider: CryptoProvider;
  readonly #others: readonly Certificate[];
  /** Outcomes by key, for each list; the last few keys only. */
  readonly #outcomes: WeakMap<CertificateRevocationList, Map<string, boolean>> = new WeakMap();

  constructor(provider: CryptoProvider, others: readonly Certificate[]) {
    this.#provider = provider;
    this.#others = others;
  }

  /**
   * Why nobody who may have signed the list did; undefined when somebody did. Asks whether signers are revoked themselves,
   * unless `onUnknown` is undefined; one of unknown status is put up with when it is `accept`.
   */
  *problem(
    list: CertificateRevocationList,
    request: RevocationRequest,
    onUnknown: 'accept' | 'refuse' | undefined,
  ): Search<SignerProblem | undefined> {
    let refusal = `no certificate of its issuer "${list.issuer.shown}" is known`;
    let problem: SignerProblem | undefined;
    for (const signer of this.#candidates(list, request)) {
      try {
        const reason = this.#refusal(list, signer, request);
        if (reason !== undefined) {
          refusal = reason;
          continue;
        }
        if (request.path.includes(signer, request.index + 1)) return undefined;
        if (signer.equals(request.certificate)) checkOwnList(list, signer);
        else yield* this.#validate(list, signer, request, onUnknown);
        return undefined;
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        // A problem of the key that made the signature says more than that another key did not.
        const isVoid = error.code !== 'revocation-unknown';
        if (problem?.isVoid !== false)
          problem = { reason: `its signer is not valid: ${error.message}`, isVoid };
      }
    }
    return problem ?? { reason: refusal, isVoid: true };
  }

  /** Whether one of those who may sign it made the signature; whether they may is left open. */
  isSigned(list: CertificateRevocationList, request: RevocationRequest): boolean {
    return this.#candidates(list, request).some((signer) => {
      try {
        return this.#refusal(list, signer, request) === undefined;
      } catch (error) {
        if (error instanceof CertificateError) return false;
        throw error;
      }
    });
  }

  /** Those of the issuer's name, the likeliest first. */
  #candidates(list: CertificateRevocationList, request: RevocationRequest): readonly Certificate[] {
    const above = request.path.slice(request.index + 1);
    const others = this.#others.filter((other) => !above.some((certificate) => certificate.equals(other)));
    const all = [...above, ...others].filter(({ subject }) => subject.equals(list.issuer));
    const wanted = list.extensions.authorityKeyIdentifier?.keyIdentifier;
    const isNamed = (certificate: Certificate): boolean => {
      const offered = certificate.extensions.subjectKeyIdentifier;
      return wanted !== undefined && offered !== undefined && bytesEqual(wanted, offered);
    };
    const distance = (certificate: Certificate): number =>
      (isNamed(certificate) ? 0 : 2) + (isValidAt(certificate, request.at) ? 0 : 1);
    return all.sort((a, b) => distance(a) - distance(b)).slice(0, MOST_SIGNERS);
  }

  /**
   * Why this one did not sign the list, or may not (RFC 5280 §6.3.3 (f) on keyUsage, (g), (h)); whether it is itself valid is
   * left open.
   */
  #refusal(
    list: CertificateRevocationList,
    signer: Certificate,
    { profile = compatibleProfile, path, index }: RevocationRequest,
  ): string | undefined {
    if (signer.extensions.keyUsage?.has('cRLSign') === false)
      return 'its issuer may not sign lists (keyUsage cRLSign)';
    const algorithm = acceptedSignature(list.signatureAlgorithm, profile);
    if (isBreach(algorithm)) return algorithm.what;
    const place = path.indexOf(signer, index + 1);
    const key = place < 0 ? signer.publicKey(this.#provider) : keyInPath(this.#provider, path, place);
    const breach = breachOfKey(key.kind, profile);
    if (breach !== undefined) return `its signer is not accepted: ${breach.what}`;
    const id = toHex(key.spki);
    let known = this.#outcomes.get(list);
    if (known === undefined) {
      known = new Map();
      this.#outcomes.set(list, known);
    }
    let isSigned = known.get(id);
    if (isSigned === undefined) {
      isSigned = this.#provider.verify(algorithm, key, list.tbs, list.signature);
      if (known.size >= MOST_SIGNERS) known.clear();
      known.set(id, isSigned);
    }
    return isSigned ? undefined : 'the signature was not made with that key';
  }

  /** Validates the path of a signer that is not in the path in question. Throws {@link CertificateError}. */
  *#validate(
    list: CertificateRevocationList,
    signer: Certificate,
    request: RevocationRequest,
    onUnknown: 'accept' | 'refuse' | undefined,
  ): Search<void> {
    const { at, path, index, profile = compatibleProfile } = request;
    const above = path.slice(index + 1);
    const budget = new Budget(DEFAULT_BUDGETS);
    const search = new PathSearch({
      ...{ leaf: signer, at, budget, policies: undefined, maximumDepth: DEFAULT_BUDGETS.depth },
      others: [...above, ...this.#others],
      trust: new TrustStore([path.at(-1)!]),
      dangerouslyAllowCommonName: false,
      mayFetch: false,
      revocation: onUnknown,
      checks: new CertificateChecks({
        ...{ provider: this.#provider, at, budget, purpose: CRL_SIGNER, leafKeyUsage: CRL_SIGNER.keyUsage },
        // The rest of a profile is about the leaf in question.
        profile: { ...profile, rules: [], maximumLeafDays: undefined },
      }),
    });
    const found = yield* search.run();
    // A list of the issuer itself may be by another of its keys: by one that it, or who issued it, vouches for. Anybody else
    // could only have taken its name.
    const isDirect = list.issuer.equals(request.certificate.issuer);
    if (isDirect && !above.slice(0, 2).some((issuer) => found.path[1]?.equals(issuer)))
      throw new CertificateError('unknown-issuer', 'another CA vouches for it', signer);
  }
}

/**
 * A signer whose own list tells whether it is revoked: only where its certificate says that this is so, by a distribution point
 * with its name as cRLIssuer, which is then how the list comes to speak about it. Throws {@link CertificateError}.
 */
function checkOwnList(list: CertificateRevocationList, signer: Certificate): void {
  if (list.issuer.equals(signer.issuer))
    throw new CertificateError('unknown-issuer', 'only the list itself vouches for its signer', signer);
}
