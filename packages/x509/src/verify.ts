import type { CryptoProvider } from '@testudo/crypto';
import { Budget, DEFAULT_BUDGETS, type VerificationBudgets } from './budget.ts';
import type { Certificate } from './certificate.ts';
import { CertificateChecks } from './checks.ts';
import { blame, CertificateError, type CertificateErrorCode } from './errors.ts';
import type { KeyUsage } from './extensions.ts';
import { checkNameConstraints } from './name-constraints.ts';
import { type PeerName, verifyName } from './peer-name.ts';
import { compatibleProfile, type VerificationProfile } from './profile.ts';
import type { TrustStore } from './trust-store.ts';

export interface VerifyOptions {
  readonly provider: CryptoProvider;
  /** What the peer sent: its own certificate first, the others in any order, useful or not. */
  readonly chain: readonly Certificate[];
  readonly trust: TrustStore;
  /** The moment at which everything must be valid. */
  readonly at: Date;
  /** What the leaf is used for: the server's or the client's end of TLS. */
  readonly purpose: 'server' | 'client';
  /** Whom the leaf must be for. Default: not checked. */
  readonly name?: PeerName | undefined;
  /** What keyUsage, when present, must allow the leaf. Default `digitalSignature`. */
  readonly leafKeyUsage?: KeyUsage | undefined;
  /** Limits on the work; those left out have the values of {@link DEFAULT_BUDGETS}. */
  readonly budgets?: Partial<VerificationBudgets> | undefined;
  /** Demands beyond RFC 5280 §6. Default {@link compatibleProfile}. */
  readonly profile?: VerificationProfile | undefined;
}

export interface VerifiedChain {
  /** Leaf to trust anchor, both included; the leaf alone when it is itself in the trust store. */
  readonly path: readonly Certificate[];
}

/**
 * Finds a path from the leaf to a trust anchor and validates it (RFC 5280 §6.1; policies and revocation are not
 * part of this). Signatures, validity, basicConstraints, keyUsage, extendedKeyUsage, name constraints and critical
 * extensions are checked for every certificate, trust anchors included.
 *
 * Throws {@link CertificateError}. When no path is valid, the error is the most specific one met on the way:
 * that the intermediate has expired says more than that another path leads nowhere.
 */
export function verifyCertificate(options: VerifyOptions): VerifiedChain {
  const leaf = options.chain[0];
  if (leaf === undefined)
    throw new CertificateError('unknown-issuer', 'the peer sent no certificate; configure one on its side');
  const search = new PathSearch(options);
  search.checks.leaf(leaf);
  const path = options.trust.has(leaf) ? [leaf] : search.extend([leaf]);
  if (path === undefined) throw search.failure(leaf);
  if (options.name !== undefined) blame(leaf, () => verifyName(leaf, options.name!));
  return { path };
}

/** Depth first, from the leaf upwards: trust anchors before intermediates, likely issuers before unlikely ones. */
class PathSearch {
  readonly checks: CertificateChecks;
  readonly #options: VerifyOptions;
  readonly #budget: Budget;
  readonly #maximumDepth: number;
  readonly #intermediates: Map<string, Certificate[]> = new Map();
  #best: CertificateError | undefined;

  constructor(options: VerifyOptions) {
    const budgets = { ...DEFAULT_BUDGETS, ...options.budgets };
    this.#options = options;
    this.#budget = new Budget(budgets);
    this.#maximumDepth = budgets.depth;
    this.checks = new CertificateChecks({
      provider: options.provider,
      at: options.at,
      purpose: options.purpose,
      leafKeyUsage: options.leafKeyUsage ?? 'digitalSignature',
      profile: options.profile ?? compatibleProfile,
      budget: this.#budget,
    });
    for (const certificate of options.chain.slice(1)) this.#index(certificate);
  }

  /** A valid path that starts with `path`, or undefined; then {@link failure} has the reason. */
  extend(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const child = path.at(-1)!;
    const anchors = this.#options.trust.withSubject(child.issuer);
    for (const anchor of byLikelihood(anchors, child))
      if (this.#attempt(path, anchor, 'anchor')) return [...path, anchor];
    const intermediates = this.#intermediates.get(child.issuer.key) ?? [];
    for (const issuer of byLikelihood(intermediates, child)) {
      if (isRepeated(issuer, path) || anchors.some((anchor) => anchor.equals(issuer))) continue;
      if (!this.#attempt(path, issuer, 'intermediate')) continue;
      const whole = this.extend([...path, issuer]);
      if (whole !== undefined) return whole;
    }
    this.#note(unknownIssuer(path));
    return undefined;
  }

  /** The error to throw when there is no path. */
  failure(leaf: Certificate): CertificateError {
    return this.#best ?? unknownIssuer([leaf]);
  }

  /** Whether `issuer` may stand above `path`. What forbids it is noted; an exceeded budget is thrown. */
  #attempt(path: readonly Certificate[], issuer: Certificate, position: 'intermediate' | 'anchor'): boolean {
    this.#budget.spend('steps');
    try {
      const child = path.at(-1)!;
      this.#checkDepth(path, issuer, position);
      blame(issuer, () => this.checks.issuer(issuer, position, intermediatesIn(path)));
      // Cheap checks first: a signature costs a hundred times as much.
      this.#checkConstraints(issuer, path);
      this.checks.signature(child, issuer);
      return true;
    } catch (error) {
      if (!(error instanceof CertificateError) || error.code === 'budget-exceeded') throw error;
      this.#note(error);
      return false;
    }
  }

  #checkDepth(path: readonly Certificate[], issuer: Certificate, position: 'intermediate' | 'anchor'): void {
    if (position === 'anchor') return;
    const counted = intermediatesIn([...path, issuer]);
    if (counted <= this.#maximumDepth && path.length <= 2 * this.#maximumDepth) return;
    throw new CertificateError(
      'path-too-long',
      `more than ${this.#maximumDepth} intermediates; use a shorter chain, or raise the depth budget`,
      issuer,
    );
  }

  /** RFC 5280 §6.1.3 (b), (c): self-issued certificates are exempt, unless they are the leaf. */
  #checkConstraints(issuer: Certificate, path: readonly Certificate[]): void {
    const constraints = blame(issuer, () => issuer.extensions.nameConstraints);
    if (constraints === undefined) return;
    const spend = (): void => this.#budget.spend('nameConstraintComparisons');
    for (const [i, certificate] of path.entries())
      if (i === 0 || !certificate.isSelfIssued)
        blame(certificate, () => checkNameConstraints(constraints, certificate, spend));
  }

  #index(certificate: Certificate): void {
    try {
      const key = certificate.subject.key;
      const known = this.#intermediates.get(key);
      if (known === undefined) this.#intermediates.set(key, [certificate]);
      else if (!known.some((other) => other.equals(certificate))) known.push(certificate);
    } catch (error) {
      // The peer may send what it likes: what cannot be read is not used.
      if (!(error instanceof CertificateError)) throw error;
    }
  }

  #note(error: CertificateError): void {
    if (this.#best === undefined || SPECIFICITY[error.code] > SPECIFICITY[this.#best.code])
      this.#best = error;
  }
}

/** How much an error tells: what only means "not this path" counts least. */
const SPECIFICITY: Readonly<Record<CertificateErrorCode, number>> = {
  'unknown-issuer': 0,
  'self-signed': 1,
  'path-too-long': 2,
  'bad-signature': 3,
  'not-a-ca': 4,
  'bad-key-usage': 5,
  'bad-extended-key-usage': 6,
  'profile-violation': 7,
  policy: 7,
  malformed: 8,
  'unsupported-version': 8,
  'unsupported-algorithm': 8,
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
  'encrypted-key': 14,
  'wrong-password': 14,
};

/** Certificates above the leaf, without the self-issued ones (RFC 5280 §4.2.1.9). */
function intermediatesIn(path: readonly Certificate[]): number {
  return path.slice(1).filter((certificate) => !certificate.isSelfIssued).length;
}

/** Same name and key as one below: it could only go round in circles. */
function isRepeated(issuer: Certificate, path: readonly Certificate[]): boolean {
  return path.some((certificate) => certificate.hasSameIdentity(issuer));
}

/** Those whose key identifier the child names, then those without one, then the others; otherwise in order. */
function byLikelihood(issuers: readonly Certificate[], child: Certificate): readonly Certificate[] {
  return issuers.length < 2 ? issuers : issuers.toSorted((a, b) => distance(a, child) - distance(b, child));
}

function distance(issuer: Certificate, child: Certificate): number {
  const wanted = hexOf(() => child.extensions.authorityKeyIdentifier?.keyIdentifier);
  const offered = hexOf(() => issuer.extensions.subjectKeyIdentifier);
  if (wanted === undefined || offered === undefined) return 1;
  return wanted === offered ? 0 : 2;
}

/** An identifier that cannot be read only loses its place in the order. */
function hexOf(read: () => Uint8Array | undefined): string | undefined {
  try {
    return read()?.join();
  } catch {
    return undefined;
  }
}

function unknownIssuer(path: readonly Certificate[]): CertificateError {
  const top = path.at(-1)!;
  if (!top.isSelfIssued)
    return new CertificateError(
      'unknown-issuer',
      `the issuer "${top.issuer.shown}" is neither trusted nor sent; trust its root, or send the missing intermediate`,
      top,
    );
  return path.length === 1
    ? new CertificateError(
        'self-signed',
        'the certificate is self-signed and not trusted; add it to the trust store, or get one from a CA',
        top,
      )
    : new CertificateError(
        'unknown-issuer',
        `the chain ends in the root "${top.subject.shown}", which is not trusted; add it to the trust store if you trust it`,
        top,
      );
}
