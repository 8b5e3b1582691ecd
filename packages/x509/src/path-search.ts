import type { Oid } from '@testudo/codec';
import type { Budget } from './budget.ts';
import type { Certificate } from './certificate.ts';
import type { CertificateChecks } from './checks.ts';
import { blame, CertificateError } from './errors.ts';
import { FailureRanking, type Prospect } from './failure-ranking.ts';
import { byLikelihood, IssuerBag, keyIdentifierDistance } from './issuer-bag.ts';
import { checkNameConstraints } from './name-constraints.ts';
import { PathRecord, type PathTree, type RecordedNode } from './path-tree.ts';
import { type PolicyDemands, validatePolicies } from './policy-graph.ts';
import { ask, checkRevocation, type Search } from './search-requests.ts';
import type { TrustStore } from './trust-store.ts';

export interface SearchOptions {
  readonly leaf: Certificate;
  readonly others: readonly Certificate[];
  readonly trust: TrustStore;
  readonly at: Date;
  readonly checks: CertificateChecks;
  readonly budget: Budget;
  /** Intermediates in a path, self-issued ones not counted. */
  readonly maximumDepth: number;
  readonly policies: PolicyDemands | undefined;
  readonly dangerouslyAllowCommonName: boolean;
  /** Whether the search may ask for issuers that are not there. */
  readonly mayFetch: boolean;
  /** Whether it asks about revocation, and what becomes of an unknown status. */
  readonly revocation: 'accept' | 'refuse' | undefined;
}

/** What a search has found. */
export interface FoundPath {
  readonly path: readonly Certificate[];
  readonly policies: readonly Oid[];
  readonly tree: PathTree;
}

/**
 * Finds a valid path (RFC 5280 §6.1) among all that can be built (RFC 4158). Depth first, from the leaf upwards: trust
 * anchors before intermediates, likely issuers before unlikely ones. A link is checked when it is made, so that nothing is
 * built on a link that does not hold; policies and revocation, which take a whole path, when an anchor is reached.
 */
export class PathSearch {
  readonly #options: SearchOptions;
  readonly #bag: IssuerBag = new IssuerBag();
  readonly #record: PathRecord;
  readonly #ranking: FailureRanking = new FailureRanking();
  /** Those whose issuers were asked for: once is enough. */
  readonly #fetchedFor: Set<Certificate> = new Set();
  readonly #leadsToTrust: Map<Certificate, boolean> = new Map();

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#record = new PathRecord(options.leaf);
    this.#bag.add(options.others, 'peer');
  }

  get tree(): PathTree {
    return this.#record;
  }

  /** What is wrong with the leaf though its path is good: that it is for someone else. */
  blameLeaf(error: CertificateError): void {
    this.#record.leaf.error ??= error;
  }

  /** Throws {@link CertificateError}: the most specific failure of the most promising path. */
  *run(): Search<FoundPath> {
    const { leaf, trust, checks } = this.#options;
    const node = this.#record.leaf;
    try {
      checks.leaf(leaf);
      const found = blame(leaf, () => trust.has(leaf))
        ? yield* this.#finish([leaf], [node])
        : yield* this.#extend([leaf], [node]);
      if (found !== undefined) return found;
    } catch (error) {
      if (error instanceof CertificateError && error.certificate === leaf) node.error ??= error;
      throw error;
    }
    throw this.#ranking.best ?? unknownIssuer([leaf]);
  }

  /** A valid path that starts with `path`, or undefined; then the ranking has the reason. */
  *#extend(path: readonly Certificate[], nodes: readonly RecordedNode[]): Search<FoundPath | undefined> {
    const { trust, at } = this.#options;
    const child = path.at(-1)!;
    // RFC 5280 §6.1.3 (a)(4), §6.1.4 (c), from below: only who has the name that the child gives its issuer.
    const anchors = trust.withSubject(child.issuer);
    let attempts = 0;
    let isLinked = false;
    for (const anchor of byLikelihood(anchors, child, at)) {
      attempts++;
      const node = this.#attempt(path, nodes, anchor, 'anchor');
      if (node === undefined) continue;
      isLinked = true;
      const found = yield* this.#finish([...path, anchor], [...nodes, node]);
      if (found !== undefined) return found;
    }
    let candidates = this.#bag.issuersOf(child);
    for (;;) {
      for (const issuer of byLikelihood(candidates, child, at)) {
        if (isRepeated(issuer, path) || anchors.some((anchor) => anchor.equals(issuer))) continue;
        attempts++;
        const node = this.#attempt(path, nodes, issuer, 'intermediate');
        if (node === undefined) continue;
        isLinked = true;
        const found = yield* this.#extend([...path, issuer], [...nodes, node]);
        if (found !== undefined) return found;
      }
      // Who issued it is known: what is above may have failed, but another copy of the issuer would not help.
      if (isLinked) return undefined;
      candidates = yield* this.#fetchIssuers(child);
      if (candidates.length === 0) break;
    }
    if (attempts === 0) this.#note(unknownIssuer(path), nodes.at(-1)!, 'none');
    return undefined;
  }

  /** Issuers from elsewhere that were not known, asked for once for each certificate. */
  *#fetchIssuers(child: Certificate): Search<readonly Certificate[]> {
    if (!this.#options.mayFetch || this.#fetchedFor.has(child) || child.isSelfIssued) return [];
    this.#fetchedFor.add(child);
    const fetched = this.#bag.add(yield* ask({ kind: 'issuers', of: child }), 'fetched');
    return fetched.filter((issuer) => issuer.subject.equals(child.issuer));
  }

  /** A path up to a trust anchor, with all its links checked: what takes the whole of it. */
  *#finish(path: readonly Certificate[], nodes: readonly RecordedNode[]): Search<FoundPath | undefined> {
    const { policies: demands, budget, at, revocation, checks } = this.#options;
    const broken = this.#brokenConstraint(path);
    if (broken !== undefined) {
      this.#note(broken.error, nodes[broken.index]!, 'signed');
      return undefined;
    }
    try {
      const policies = validatePolicies(path, demands, () => budget.spend('policyNodes'));
      if (revocation !== undefined) yield* checkRevocation(path, at, revocation, checks.profile);
      for (const node of nodes) node.isChosen = true;
      return { path, policies, tree: this.#record };
    } catch (error) {
      // At the anchor, where this path ends: below it, other paths may be better.
      this.#note(this.#failureOf(error), nodes.at(-1)!, 'signed');
      return undefined;
    }
  }

  /** The node of `issuer` above `path` when it may stand there. What forbids it is noted. */
  #attempt(
    path: readonly Certificate[],
    nodes: readonly RecordedNode[],
    issuer: Certificate,
    position: 'intermediate' | 'anchor',
  ): RecordedNode | undefined {
    const { budget, checks } = this.#options;
    budget.spend('steps');
    const source = position === 'anchor' ? 'trust' : this.#bag.sourceOf(issuer);
    const node = this.#record.add(nodes.at(-1)!, issuer, position, source);
    const child = path.at(-1)!;
    try {
      const below = intermediatesIn(path);
      if (position === 'intermediate') this.#checkDepth(path, issuer, below);
      blame(issuer, () => checks.issuer(issuer, position, below));
      checks.signature(path, issuer);
      return node;
    } catch (error) {
      const failure = this.#failureOf(error);
      if (position === 'intermediate' && attempt(() => this.#isUntrustedRoot(issuer), false))
        this.#note(unknownIssuer([...path, issuer]), node, 'none');
      else this.#note(failure, node, this.#prospectOf(failure, child, issuer, position));
      return undefined;
    }
  }

  #checkDepth(path: readonly Certificate[], issuer: Certificate, below: number): void {
    const { maximumDepth } = this.#options;
    const counted = below + (issuer.isSelfIssued ? 0 : 1);
    if (counted <= maximumDepth && path.length <= 2 * maximumDepth) return;
    throw new CertificateError(
      'path-too-long',
      `more than ${maximumDepth} intermediates`,
      issuer,
      undefined,
      'use a shorter chain, or raise the depth budget',
    );
  }

  /**
   * RFC 5280 §6.1.3 (b), (c), §6.1.4 (g): self-issued certificates are exempt, unless they are the leaf. Whoever makes a chain
   * up could choose names and constraints: they are looked at when all signatures up to a trust anchor are known to be right.
   * Gives the first certificate whose constraints are broken, by its place, with what is wrong.
   */
  #brokenConstraint(
    path: readonly Certificate[],
  ): { readonly index: number; readonly error: CertificateError } | undefined {
    for (let index = 1; index < path.length; index++) {
      const error = this.#errorOf(() => this.#checkConstraints(path[index]!, path.slice(0, index)));
      if (error !== undefined) return { index, error };
    }
    return undefined;
  }

  #checkConstraints(issuer: Certificate, below: readonly Certificate[]): void {
    const { budget, dangerouslyAllowCommonName } = this.#options;
    blame(issuer, () => {
      const constraints = issuer.extensions.nameConstraints;
      if (constraints === undefined) return;
      for (const [i, certificate] of below.entries()) {
        if (i > 0 && certificate.isSelfIssued) continue;
        checkNameConstraints(
          constraints,
          certificate,
          (comparisons) => budget.spend('nameConstraintComparisons', comparisons),
          { dangerouslyAllowCommonName: i === 0 && dangerouslyAllowCommonName },
        );
      }
    });
  }

  /** What a step throws, where that is a failure of a certificate. */
  #errorOf(step: () => void): CertificateError | undefined {
    try {
      step();
      return undefined;
    } catch (error) {
      return this.#failureOf(error);
    }
  }

  /** Only an exceeded budget ends the search; it is thrown, as is what is no failure of a certificate. */
  #failureOf(error: unknown): CertificateError {
    if (error instanceof CertificateError && error.code !== 'budget-exceeded') return error;
    throw error;
  }

  #note(error: CertificateError, node: RecordedNode, prospect: Prospect): void {
    node.error ??= error;
    this.#ranking.note(error, prospect);
  }

  #prospectOf(
    error: CertificateError,
    child: Certificate,
    issuer: Certificate,
    position: 'intermediate' | 'anchor',
  ): Prospect {
    const isOtherKey = keyIdentifierDistance(issuer, child) === 2;
    if (error.code === 'bad-signature') return isOtherKey ? 'unrelated' : 'none';
    if (isOtherKey) return 'none';
    return position === 'anchor' || this.#isNamedPath(issuer) ? 'named' : 'none';
  }

  /** Whatever else is wrong with a root that is not trusted, that it is not says more. */
  #isUntrustedRoot(issuer: Certificate): boolean {
    return issuer.isSelfIssued && !this.#isNamedPath(issuer);
  }

  /** Whether names alone lead from here to a trust anchor: each certificate is looked at once. */
  #isNamedPath(start: Certificate): boolean {
    const known = this.#leadsToTrust.get(start);
    if (known !== undefined) return known;
    const seen = new Set([start]);
    let leads = false;
    for (const certificate of seen) {
      leads = attempt(() => this.#options.trust.withSubject(certificate.issuer).length > 0, false);
      if (leads) break;
      for (const issuer of attempt(() => this.#bag.issuersOf(certificate), [])) seen.add(issuer);
    }
    this.#leadsToTrust.set(start, leads);
    return leads;
  }
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) return otherwise;
    throw error;
  }
}

/** Certificates above the leaf, without the self-issued ones (RFC 5280 §4.2.1.9). */
function intermediatesIn(path: readonly Certificate[]): number {
  let count = 0;
  for (let i = 1; i < path.length; i++) if (!path[i]!.isSelfIssued) count++;
  return count;
}

/** Same name and key as one below: it could only go round in circles. */
function isRepeated(issuer: Certificate, path: readonly Certificate[]): boolean {
  return path.some((certificate) => certificate.hasSameIdentity(issuer));
}

function unknownIssuer(path: readonly Certificate[]): CertificateError {
  const top = path.at(-1)!;
  if (!top.isSelfIssued)
    return new CertificateError(
      'unknown-issuer',
      `the issuer "${top.issuer.shown}" is neither trusted nor sent`,
      top,
      undefined,
      'trust its root, or send the missing intermediate',
    );
  return path.length === 1
    ? new CertificateError(
        'self-signed',
        'the certificate is self-signed and not trusted',
        top,
        undefined,
        'add it to the trust store, or get one from a CA',
      )
    : new CertificateError(
        'unknown-issuer',
        `the chain ends in the root "${top.subject.shown}", which is not trusted`,
        top,
        undefined,
        'add it to the trust store if you trust it',
      );
}
