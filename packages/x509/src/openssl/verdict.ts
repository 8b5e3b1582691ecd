import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type { NameConstraints } from '../extensions.ts';
import { checkNameConstraints } from '../name-constraints.ts';
import type { TrustStore } from '../trust-store.ts';
import type { VerificationCache } from '../verification-cache.ts';
import { buildChain, timeProblem } from './chain.ts';
import { namesInSubject } from './constrained-names.ts';
import { isKeyStrongEnough, isSignatureStrongEnough, type SecurityLevel } from './security-level.ts';
import { signatureOf } from './signature.ts';
import { keyOf, type Traits, traitsOf } from './traits.ts';
import { authorityKind, isFitFor } from './usage.ts';
import type { X509Verdict } from './verdicts.ts';

export interface OpensslOptions {
  readonly provider: CryptoProvider;
  /** What the peer sent: its own certificate first. */
  readonly chain: readonly Certificate[];
  /** Roots, and what else is trusted to help. */
  readonly store: TrustStore;
  /** Whether a chain may end at a certificate of the store that is no root. Default false. */
  readonly isPartial?: boolean | undefined;
  readonly at: Date;
  readonly purpose: 'server' | 'client';
  readonly level: SecurityLevel;
  /** What a list of revoked certificates says of one, and who comes after it in the chain. */
  readonly revocation?:
    | ((certificate: Certificate, index: number, path: readonly Certificate[]) => X509Verdict | undefined)
    | undefined;
  /** Where chains that were found valid are remembered. Default: nowhere. */
  readonly cache?: VerificationCache | undefined;
}

export interface OpensslVerdict {
  /** The chain that was built, leaf first, whatever it is worth. */
  readonly path: readonly Certificate[];
  /** Undefined when all is well. */
  readonly verdict: X509Verdict | undefined;
}

/**
 * What OpenSSL says of a chain (X509_verify_cert as libssl calls it, without the flag for strict checks): for programs that
 * rely on its verdicts. It is more lenient than `verifyCertificate` in some places (version 1, old hashes at low levels, what RFC 5280 asks of CAs), and
 * looks at one chain only. All that is wrong is gone through in its order, and as with a caller that does not stop it, the last counts.
 */
export function opensslVerdict(options: OpensslOptions): OpensslVerdict {
  const { cache, chain, at, revocation } = options;
  const settings = settingsOf(options);
  const known = revocation === undefined ? cache?.find(chain, settings, at) : undefined;
  if (known !== undefined) return { path: known.path, verdict: undefined };
  const found = new Verification(options).run();
  if (found.verdict === undefined && revocation === undefined)
    cache?.remember(chain, settings, { path: found.path, policies: [] });
  return found;
}

function settingsOf({ provider, store, isPartial, purpose, level }: OpensslOptions): readonly unknown[] {
  return ['openssl', provider, store, isPartial === true, purpose, level];
}

/** As OpenSSL's: comparisons of names with constraints. */
const MAX_COMPARISONS = 1 << 20;

class Verification {
  readonly #options: OpensslOptions;
  #verdict: X509Verdict | undefined;
  #chain: readonly Certificate[] = [];
  /** It leads to somebody trusted, and all its signatures are right: nobody else may have us compare names. */
  #isProven = false;

  constructor(options: OpensslOptions) {
    this.#options = options;
  }

  run(): OpensslVerdict {
    const { chain, provider, level } = this.#options;
    if (!isKeyStrongEnough(chain[0]!, level, provider)) this.#verdict = 'EE_KEY_TOO_SMALL';
    this.#build();
    this.#checkExtensions();
    this.#checkStrength();
    this.#checkRevocation();
    this.#checkSignatures();
    if (this.#isProven) this.#checkNames();
    return { path: this.#chain, verdict: this.#verdict };
  }

  #traits(certificate: Certificate): Traits {
    return traitsOf(certificate, this.#options.provider);
  }

  #build(): void {
    const { chain, store, provider, at, isPartial = false } = this.#options;
    const [leaf, ...others] = chain;
    const built = buildChain({ provider, leaf: leaf!, others, store, isPartial, at });
    this.#chain = built.chain;
    this.#isProven = built.isTrusted;
    // What was wrong before stays.
    if (built.isTrusted || this.#verdict !== undefined) return;
    const isAlone = built.chain.length === 1;
    if (this.#traits(built.chain.at(-1)!).isSelfSigned)
      this.#verdict = isAlone ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'SELF_SIGNED_CERT_IN_CHAIN';
    else
      this.#verdict =
        built.untrusted < built.chain.length
          ? 'UNABLE_TO_GET_ISSUER_CERT'
          : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  }

  /** Critical extensions, who is a CA, purposes, and lengths of paths. */
  #checkExtensions(): void {
    const { purpose } = this.#options;
    const last = this.#chain.length - 1;
    let below = 0;
    for (const [i, certificate] of this.#chain.entries()) {
      const traits = this.#traits(certificate);
      if (traits.hasUnknownCritical) this.#verdict = 'UNHANDLED_CRITICAL_EXTENSION';
      if (traits.isProxy) this.#verdict = 'PROXY_CERTIFICATES_NOT_ALLOWED';
      const kind = authorityKind(certificate, traits);
      // Who is no intermediate, so the last, may be a CA of an older kind.
      if (i > 0 && (kind === 'none' || (i < last && kind !== 'stated'))) this.#verdict = 'INVALID_CA';
      if (!isFitFor(purpose, certificate, traits, i > 0)) this.#verdict = 'INVALID_PURPOSE';
      const limit = traits.basicConstraints?.pathLength;
      if (i > 1 && limit !== undefined && below > limit) this.#verdict = 'PATH_LENGTH_EXCEEDED';
      if (i > 0 && !traits.isSelfIssued) below++;
    }
  }

  #checkStrength(): void {
    const { provider, level } = this.#options;
    const last = this.#chain.length - 1;
    for (const [i, certificate] of this.#chain.entries()) {
      if (i > 0 && !isKeyStrongEnough(certificate, level, provider)) this.#verdict = 'CA_KEY_TOO_SMALL';
      if (i < last && !isSignatureStrongEnough(certificate, level)) this.#verdict = 'CA_MD_TOO_WEAK';
    }
  }

  #checkRevocation(): void {
    const { revocation } = this.#options;
    if (revocation === undefined) return;
    for (const [i, certificate] of this.#chain.entries())
      this.#verdict = revocation(certificate, i, this.#chain) ?? this.#verdict;
  }

  /** From the top down, and what is valid now. */
  #checkSignatures(): void {
    const { provider, at, isPartial } = this.#options;
    const chain = this.#chain;
    let n = chain.length - 1;
    let issuer = chain[n]!;
    let subject = issuer;
    const { isSelfSigned } = this.#traits(issuer);
    if (!isSelfSigned && isPartial !== true) {
      if (n === 0) this.#verdict = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
      else subject = chain[--n]!;
    }
    for (; n >= 0; n--) {
      if (issuer !== subject) {
        if (this.#traits(issuer).keyUsage?.has('keyCertSign') === false)
          this.#verdict = 'KEYUSAGE_NO_CERTSIGN';
        const key = keyOf(issuer, provider);
        const algorithm = signatureOf(subject);
        const isRight =
          key !== undefined &&
          algorithm !== undefined &&
          provider.verify(algorithm, key, subject.tbs, subject.signature);
        if (!isRight) {
          this.#verdict = key === undefined ? 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY' : 'CERT_SIGNATURE_FAILURE';
          this.#isProven = false;
        }
      }
      this.#verdict = timeProblem(subject, at) ?? this.#verdict;
      issuer = subject;
      subject = chain[n - 1] ?? subject;
    }
  }

  /** Constraints of all that stand above, the anchor among them; self-issued ones are exempt but for the leaf. */
  #checkNames(): void {
    for (let i = this.#chain.length - 1; i >= 0; i--) {
      const certificate = this.#chain[i]!;
      if (i > 0 && this.#traits(certificate).isSelfIssued) continue;
      for (let j = this.#chain.length - 1; j > i; j--)
        this.#verdict = this.#nameProblem(certificate, this.#chain[j]!, i === 0) ?? this.#verdict;
    }
  }

  #nameProblem(certificate: Certificate, issuer: Certificate, isLeaf: boolean): X509Verdict | undefined {
    const { nameConstraints } = this.#traits(issuer);
    if (nameConstraints === undefined) return undefined;
    let spent = 0;
    const spend = (comparisons: number): void => {
      spent += comparisons;
      if (spent > MAX_COMPARISONS)
        throw new CertificateError('budget-exceeded', 'too many comparisons of names');
    };
    const check = (constraints: NameConstraints): CertificateError | undefined =>
      attempt(() => {
        const more = namesInSubject(certificate, isLeaf);
        checkNameConstraints(constraints, certificate, spend, { more });
      });
    const problem = check(nameConstraints);
    if (problem?.code !== 'name-constraint') return problem && otherProblem(problem);
    const isPermitted = check({ ...nameConstraints, excluded: [] }) === undefined;
    return isPermitted ? 'EXCLUDED_VIOLATION' : 'PERMITTED_VIOLATION';
  }
}

function attempt(check: () => void): CertificateError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
}

function otherProblem({ code }: CertificateError): X509Verdict {
  return code === 'budget-exceeded' ? 'UNSPECIFIED' : 'UNSUPPORTED_NAME_SYNTAX';
}
