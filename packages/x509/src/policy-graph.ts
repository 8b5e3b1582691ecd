import type { Oid } from '@testudo/codec';
import type { Certificate } from './certificate.ts';
import { blame, CertificateError } from './errors.ts';
import { ANY_POLICY, type PolicyMapping } from './policy-extensions.ts';

/** What the caller wants of certificate policies (RFC 5280 §6.1.1 (c), (e) to (g)). */
export interface PolicyDemands {
  /** The policies that are good enough. Default: any. */
  readonly acceptable?: readonly Oid[] | undefined;
  /** One of them must hold for the whole path. Default false: then only a CA can demand it. */
  readonly requireExplicit?: boolean | undefined;
  /** Policies of one domain do not stand for those of another. Default false. */
  readonly inhibitMapping?: boolean | undefined;
  /** anyPolicy in a certificate says nothing. Default false. */
  readonly inhibitAny?: boolean | undefined;
}

/**
 * Processes the policies of a path, from the leaf to the trust anchor, as RFC 5280 §6.1 says, with the graph of RFC 9618
 * in place of the tree: one node per policy and level, so that work and memory are linear in the size of the certificates
 * where mappings could make the tree grow exponentially. The trust anchor's own policies do not count.
 *
 * Gives the policies that hold for the whole path, out of the acceptable ones, as the trust anchor's domain names them;
 * anyPolicy when every policy does. `spend` is called once per policy and mapping, and may throw. Throws {@link CertificateError} `policy` where one must hold and none does.
 */
export function validatePolicies(
  path: readonly Certificate[],
  demands: PolicyDemands = {},
  spend: () => void = () => {},
): readonly Oid[] {
  const certificates = path.length > 1 ? path.slice(0, -1).reverse() : path;
  const state = new PolicyState(certificates.length, demands, spend);
  for (const [i, certificate] of certificates.entries())
    blame(certificate, () => state.process(certificate, i === certificates.length - 1));
  return state.result(certificates.at(-1)!);
}

/** A policy that may hold at one level, and where it comes from: parents are nodes one level up. */
interface PolicyNode {
  readonly policy: Oid;
  readonly parents: readonly PolicyNode[];
  /** What this policy is called in the certificates below (RFC 5280 §6.1.2 (a)). */
  expected: Iterable<Oid>;
}

type Level = Map<Oid, PolicyNode>;

class PolicyState {
  /** RFC 9618 §5.2: one anyPolicy at depth 0. Undefined: the graph is NULL. */
  #levels: Level[] | undefined = [new Map([[ANY_POLICY, node(ANY_POLICY, [])]])];
  readonly #acceptable: ReadonlySet<Oid>;
  readonly #spend: () => void;
  #explicitPolicy: number;
  #policyMapping: number;
  #inhibitAnyPolicy: number;

  /** RFC 5280 §6.1.2 (d) to (f): counters that never reach zero without a demand. */
  constructor(length: number, demands: PolicyDemands, spend: () => void) {
    this.#spend = spend;
    this.#acceptable = new Set(demands.acceptable ?? [ANY_POLICY]);
    this.#explicitPolicy = demands.requireExplicit === true ? 0 : length + 1;
    this.#policyMapping = demands.inhibitMapping === true ? 0 : length + 1;
    this.#inhibitAnyPolicy = demands.inhibitAny === true ? 0 : length + 1;
  }

  /** Basic processing, and then what follows for the next certificate or for the last one (RFC 5280 §6.1.3 to §6.1.5). */
  process(certificate: Certificate, isLeaf: boolean): void {
    this.#addLevel(certificate, isLeaf);
    // A policy is demanded by now, and none is left (RFC 5280 §6.1.3 (f)).
    if (this.#explicitPolicy === 0 && this.#levels === undefined)
      throw noPolicy(certificate, 'has none of the policies of the path above it');
    if (isLeaf) this.#wrapUp(certificate);
    else this.#prepareNext(certificate);
  }

  /** RFC 5280 §6.1.3 (d) and (e), RFC 9618 §5.3. */
  #addLevel(certificate: Certificate, isLeaf: boolean): void {
    const policies = certificate.extensions.certificatePolicies;
    // Without the extension no policy is left (RFC 5280 §6.1.3 (e)).
    if (policies === undefined) this.#levels = undefined;
    const above = this.#levels?.at(-1);
    if (policies === undefined || above === undefined) return;
    const expecting = nodesByExpectedPolicy(above);
    const anyAbove = above.get(ANY_POLICY);
    const level: Level = new Map();
    // RFC 5280 §6.1.3 (d)(1)
    for (const policy of policies) {
      this.#spend();
      if (policy === ANY_POLICY) continue;
      const parents = expecting.get(policy) ?? (anyAbove === undefined ? undefined : [anyAbove]);
      if (parents !== undefined) level.set(policy, node(policy, parents));
    }
    // RFC 5280 §6.1.3 (d)(2)
    const anyCounts = this.#inhibitAnyPolicy > 0 || (!isLeaf && certificate.isSelfIssued);
    if (anyCounts && policies.includes(ANY_POLICY))
      for (const [policy, parents] of expecting) {
        this.#spend();
        if (!level.has(policy)) level.set(policy, node(policy, parents));
      }
    this.#push(level);
  }

  /** What RFC 5280 §6.1.4 says about policies. */
  #prepareNext(certificate: Certificate): void {
    const { extensions } = certificate;
    const mappings = extensions.policyMappings;
    if (mappings !== undefined) this.#map(mappings, certificate);
    // Certificates that are issued to oneself do not count (RFC 5280 §6.1.4 (h)).
    if (!certificate.isSelfIssued) {
      this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
      this.#policyMapping = Math.max(0, this.#policyMapping - 1);
      this.#inhibitAnyPolicy = Math.max(0, this.#inhibitAnyPolicy - 1);
    }
    // RFC 5280 §6.1.4 (i), (j)
    const constraints = extensions.policyConstraints;
    this.#explicitPolicy = Math.min(this.#explicitPolicy, constraints?.requireExplicitPolicy ?? Infinity);
    this.#policyMapping = Math.min(this.#policyMapping, constraints?.inhibitPolicyMapping ?? Infinity);
    this.#inhibitAnyPolicy = Math.min(this.#inhibitAnyPolicy, extensions.inhibitAnyPolicy ?? Infinity);
  }

  /** RFC 5280 §6.1.4 (a) and (b), RFC 9618 §5.4. */
  #map(mappings: readonly PolicyMapping[], certificate: Certificate): void {
    const subjects = new Map<Oid, Set<Oid>>();
    for (const { issuerDomainPolicy, subjectDomainPolicy } of mappings) {
      this.#spend();
      if (issuerDomainPolicy === ANY_POLICY || subjectDomainPolicy === ANY_POLICY)
        throw new CertificateError(
          'policy',
          'policyMappings maps anyPolicy, which is not allowed',
          certificate,
        );
      const known = subjects.get(issuerDomainPolicy) ?? new Set();
      subjects.set(issuerDomainPolicy, known.add(subjectDomainPolicy));
    }
    const level = this.#levels?.at(-1);
    if (level === undefined) return;
    const any = level.get(ANY_POLICY);
    // RFC 5280 §6.1.4 (b): without mappings, what would be mapped goes; else it has another name from here on.
    for (const [policy, expected] of subjects) {
      const known = level.get(policy);
      if (this.#policyMapping === 0) level.delete(policy);
      else if (known !== undefined) known.expected = expected;
      else if (any !== undefined) level.set(policy, { policy, parents: any.parents, expected });
    }
    if (level.size === 0) this.#levels = undefined;
  }

  /** RFC 5280 §6.1.5 (a) and (b). */
  #wrapUp(certificate: Certificate): void {
    this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
    if (certificate.extensions.policyConstraints?.requireExplicitPolicy === 0) this.#explicitPolicy = 0;
  }

  /** RFC 5280 §6.1.5 (g), RFC 9618 §5.5. */
  result(leaf: Certificate): readonly Oid[] {
    const held = this.#authorityConstrained();
    const isAny = this.#acceptable.has(ANY_POLICY);
    const policies = isAny
      ? [...held]
      : [...this.#acceptable].filter((policy) => held.has(policy) || held.has(ANY_POLICY));
    if (policies.length === 0 && this.#explicitPolicy === 0)
      throw noPolicy(
        leaf,
        isAny ? 'has no policy that is valid for its path' : 'has none of the policies asked for',
      );
    return policies;
  }

  /**
   * Policies right below an anyPolicy, so in the trust anchor's own terms, from which the last level can be reached;
   * anyPolicy itself when it is in the last level. Each node and edge is visited once.
   */
  #authorityConstrained(): ReadonlySet<Oid> {
    const held = new Set<Oid>();
    let reached = new Set(this.#levels?.at(-1)?.values());
    if (this.#levels?.at(-1)?.has(ANY_POLICY)) held.add(ANY_POLICY);
    while (reached.size > 0) {
      const above = new Set<PolicyNode>();
      for (const { policy, parents } of reached)
        for (const parent of parents) {
          if (parent.policy === ANY_POLICY && policy !== ANY_POLICY) held.add(policy);
          above.add(parent);
        }
      reached = above;
    }
    return held;
  }

  #push(level: Level): void {
    if (level.size === 0) this.#levels = undefined;
    else this.#levels?.push(level);
  }
}

function node(policy: Oid, parents: readonly PolicyNode[]): PolicyNode {
  return { policy, parents, expected: [policy] };
}

function nodesByExpectedPolicy(level: Level): Map<Oid, PolicyNode[]> {
  const nodes = new Map<Oid, PolicyNode[]>();
  for (const one of level.values())
    for (const policy of one.expected) {
      const known = nodes.get(policy);
      if (known === undefined) nodes.set(policy, [one]);
      else known.push(one);
    }
  return nodes;
}

function noPolicy(certificate: Certificate, what: string): CertificateError {
  return new CertificateError(
    'policy',
    `certificate "${certificate.subject.shown}": it ${what}, but one is required`,
    certificate,
    undefined,
    'ask the CA for a certificate under the required policy, or accept other policies',
  );
}
