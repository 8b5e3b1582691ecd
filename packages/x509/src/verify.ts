import type { Oid } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { Budget, DEFAULT_BUDGETS, type VerificationBudgets } from './budget.ts';
import type { Certificate } from './certificate.ts';
import { CertificateChecks } from './checks.ts';
import { blame, CertificateError } from './errors.ts';
import type { KeyUsage } from './extensions.ts';
import { type IssuerFetchOptions, IssuerSource } from './issuer-fetch.ts';
import { PathSearch } from './path-search.ts';
import { noteTree, type PathTree, treeOfPath } from './path-tree.ts';
import { type NameOptions, type PeerName, verifyName } from './peer-name.ts';
import type { PolicyDemands } from './policy-graph.ts';
import { compatibleProfile, type VerificationProfile } from './profile.ts';
import { type Purpose, type PurposeDemands, purposeDemands } from './purpose.ts';
import type { AsyncRevocationChecker, RevocationChecker } from './revocation-check.ts';
import { checkRevocation, type Search, type SearchRequest } from './search-requests.ts';
import type { TrustStore } from './trust-store.ts';
import type { VerificationCache, VerificationSettings } from './verification-cache.ts';

export interface VerifyOptions extends NameOptions {
  readonly provider: CryptoProvider;
  /** What the peer sent: its own certificate first, the others in any order, useful or not. */
  readonly chain: readonly Certificate[];
  readonly trust: TrustStore;
  /** The moment at which everything must be valid (RFC 5280 §6.1.1 (b)). */
  readonly at: Date;
  /** What the leaf is used for. Default: what the profile is for; one of the two must say it. */
  readonly purpose?: Purpose | undefined;
  /** Whom the leaf must be for. Default: not checked. */
  readonly name?: PeerName | undefined;
  /** What keyUsage, when present, must allow the leaf; `any` for whatever it is. Default: by the purpose. */
  readonly leafKeyUsage?: KeyUsage | 'any' | undefined;
  /** Certificate policies. Default: none are asked for, and what CAs demand holds. */
  readonly policies?: PolicyDemands | undefined;
  /** Limits on the work; those left out have the values of {@link DEFAULT_BUDGETS}. */
  readonly budgets?: Partial<VerificationBudgets> | undefined;
  /** Demands beyond RFC 5280 §6. Default {@link compatibleProfile}. */
  readonly profile?: VerificationProfile | undefined;
  /** Who knows what is revoked. Default: nobody is asked. */
  readonly revocation?: RevocationChecker | undefined;
  /** Where chains that were found valid are remembered. Default: nowhere. */
  readonly cache?: VerificationCache | undefined;
}

export interface AsyncVerifyOptions extends Omit<VerifyOptions, 'revocation'> {
  readonly revocation?: AsyncRevocationChecker | undefined;
  /** Fetches issuers that the peer did not send. Default: none are fetched. */
  readonly issuers?: IssuerFetchOptions | undefined;
}

export interface VerifiedChain {
  /** Leaf to trust anchor, both included; the leaf alone when it is itself in the trust store. */
  readonly path: readonly Certificate[];
  /**
   * The certificate policies that hold for the whole path, out of the acceptable ones (RFC 5280 §6.1.6); anyPolicy
   * (`2.5.29.32.0`) when every policy does.
   */
  readonly policies: readonly Oid[];
  /** What was tried on the way; the path alone when it was remembered. */
  readonly tree: PathTree;
}

/**
 * Finds a path from the leaf to a trust anchor and validates it (RFC 5280 §6.1, §6.2). Signatures, validity,
 * basicConstraints, keyUsage, extendedKeyUsage, name constraints, policies and critical extensions are checked for every certificate,
 * trust anchors included; of those the policies do not count. Revocation is checked where `revocation` is given.
 *
 * Throws {@link CertificateError}. When no path is valid, the error is the most specific one of the most promising path:
 * that the intermediate has expired says more than that another path leads nowhere. `pathTreeOf` shows all that was tried.
 */
export function verifyCertificate(options: VerifyOptions): VerifiedChain {
  const { revocation } = options;
  const search = verification(options, false);
  let step = search.next();
  while (!step.done) {
    const asked: SearchRequest = step.value;
    step = search.next(asked.kind === 'revocation' ? revocation!.check(asked.request) : []);
  }
  return step.value;
}

/** As {@link verifyCertificate}, but issuers may be fetched, and revocation may take time. Rejects where that throws. */
export async function verifyCertificateAsync(options: AsyncVerifyOptions): Promise<VerifiedChain> {
  const { revocation } = options;
  const source = options.issuers === undefined ? undefined : new IssuerSource(options.issuers);
  const search = verification(options, source !== undefined);
  let step = search.next();
  while (!step.done) {
    const asked: SearchRequest = step.value;
    step = search.next(
      asked.kind === 'revocation'
        ? await revocation!.check(asked.request)
        : await source!.issuersOf(asked.of),
    );
  }
  return step.value;
}

type CommonOptions = Omit<VerifyOptions, 'revocation'> & {
  readonly revocation?: { readonly onUnknown: 'accept' | 'refuse' } | undefined;
};

function* verification(options: CommonOptions, mayFetch: boolean): Search<VerifiedChain> {
  const [leaf, ...others] = options.chain;
  if (leaf === undefined)
    throw new CertificateError(
      'unknown-issuer',
      'the peer sent no certificate',
      undefined,
      undefined,
      'configure one on its side',
    );
  const purpose = purposeOf(options);
  const settings = options.cache === undefined ? [] : settingsOf(options);
  const remembered = yield* recall(options, settings);
  if (remembered !== undefined) return remembered;
  const search = new PathSearch({ ...searchOptions(options, purpose), leaf, others, mayFetch });
  try {
    const found = yield* search.run();
    options.cache?.remember(options.chain, settings, found);
    checkName(leaf, options, (error) => search.blameLeaf(error));
    return found;
  } catch (error) {
    if (error instanceof CertificateError) noteTree(error, search.tree);
    throw error;
  }
}

/** A chain found valid before. When its revocation status is no longer good, another path may be found. */
function* recall(options: CommonOptions, settings: VerificationSettings): Search<VerifiedChain | undefined> {
  const { cache, chain, at, revocation, profile = compatibleProfile } = options;
  const found = cache?.find(chain, settings, at);
  if (found === undefined) return undefined;
  const { path, policies } = found;
  try {
    if (revocation !== undefined) yield* checkRevocation(path, at, revocation.onUnknown, profile);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
  checkName(path[0]!, options, (error) => {
    noteTree(error, treeOfPath(path, error));
  });
  return new RememberedChain(path, policies);
}

/** Its tree is made when it is asked for: hardly anybody does. */
class RememberedChain implements VerifiedChain {
  readonly path: readonly Certificate[];
  readonly policies: readonly Oid[];

  constructor(path: readonly Certificate[], policies: readonly Oid[]) {
    this.path = path;
    this.policies = policies;
  }

  get tree(): PathTree {
    return treeOfPath(this.path);
  }
}

function checkName(
  leaf: Certificate,
  options: CommonOptions,
  onMismatch: (error: CertificateError) => void,
): void {
  const { name } = options;
  if (name === undefined) return;
  try {
    blame(leaf, () => verifyName(leaf, name, options));
  } catch (error) {
    if (error instanceof CertificateError) onMismatch(error);
    throw error;
  }
}

function purposeOf({ purpose, profile }: CommonOptions): PurposeDemands {
  const wanted = purpose ?? profile?.purpose;
  if (wanted === undefined) throw new RangeError('give a purpose, or a profile that has one');
  return purposeDemands(wanted);
}

function searchOptions(
  options: CommonOptions,
  purpose: PurposeDemands,
): Omit<ConstructorParameters<typeof PathSearch>[0], 'leaf' | 'others' | 'mayFetch'> {
  const { provider, trust, at, leafKeyUsage, policies, revocation } = options;
  const budgets = { ...DEFAULT_BUDGETS, ...options.budgets };
  const budget = new Budget(budgets);
  const usage = leafKeyUsage === undefined ? purpose.keyUsage : leafKeyUsage === 'any' ? [] : [leafKeyUsage];
  return {
    trust,
    at,
    budget,
    policies,
    maximumDepth: budgets.depth,
    dangerouslyAllowCommonName: options.dangerouslyAllowCommonName === true,
    revocation: revocation?.onUnknown,
    checks: new CertificateChecks({
      provider,
      at,
      purpose,
      leafKeyUsage: usage,
      profile: options.profile ?? compatibleProfile,
      budget,
    }),
  };
}

/** What a verdict rests on, besides the certificates, the time and what is checked each time. */
function settingsOf(options: CommonOptions): VerificationSettings {
  const { provider, trust, profile, purpose, leafKeyUsage, policies, budgets } = options;
  return [
    provider,
    trust,
    profile,
    purpose,
    leafKeyUsage,
    policies === undefined ? undefined : JSON.stringify(policies),
    budgets?.depth,
    options.dangerouslyAllowCommonName === true,
  ];
}
