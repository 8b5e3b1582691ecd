import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import type { TrustStore } from '../trust-store.ts';
import { mayHaveIssued, traitsOf } from './traits.ts';

/** What a chain is built of. */
export interface ChainParts {
  readonly provider: CryptoProvider;
  readonly leaf: Certificate;
  readonly others: readonly Certificate[];
  readonly store: TrustStore;
  /** Whether a chain may end at any certificate of the store. */
  readonly isPartial: boolean;
  readonly at: Date;
}

export interface BuiltChain {
  /** Leaf first; the first `untrusted` of them came from the peer. */
  readonly chain: readonly Certificate[];
  readonly untrusted: number;
  readonly isTrusted: boolean;
}

/** Certificates in a chain above the leaf, as OpenSSL's default. */
const MAX_DEPTH = 100;

/**
 * The one chain that OpenSSL builds: from the leaf upwards, at each step an issuer of the store before one of the peer's, the
 * first that is valid now, and nothing of it is taken back. Once the store has begun, only the store goes on.
 */
export function buildChain(parts: ChainParts): BuiltChain {
  const { provider, leaf, others, store, isPartial } = parts;
  const chain = [leaf];
  const left = new Set(others);
  let untrusted = 1;
  let fromPeer = true;
  while (chain.length <= MAX_DEPTH + 1) {
    const top = chain.at(-1)!;
    const isSelfSigned = traitsOf(top, provider).isSelfSigned;
    const anchor = bestIssuer(store.withSubject(top.issuer), top, parts);
    if (anchor !== undefined && (!isSelfSigned || anchor.equals(top))) {
      fromPeer = false;
      if (isSelfSigned) {
        // It is in the store itself.
        chain[chain.length - 1] = anchor;
        untrusted = Math.min(untrusted, chain.length - 1);
      } else chain.push(anchor);
      if (isPartial || traitsOf(anchor, provider).isSelfSigned) return { chain, untrusted, isTrusted: true };
      continue;
    }
    if (!fromPeer || isSelfSigned) break;
    // Names first: they rule most out, however many certificates there are.
    const fresh = [...left].filter(
      (one) => one.subject.key === top.issuer.key && isFirstCopy(one, chain, provider),
    );
    const issuer = bestIssuer(fresh, top, parts);
    if (issuer === undefined) break;
    left.delete(issuer);
    chain.push(issuer);
    untrusted++;
  }
  // What stands above a leaf that is trusted itself is still looked at.
  if (isPartial && untrusted === chain.length && store.has(leaf))
    return { chain, untrusted: 0, isTrusted: true };
  return { chain, untrusted, isTrusted: false };
}

/** The first that is valid now, or else the one that was longest. */
function bestIssuer(
  candidates: Iterable<Certificate>,
  subject: Certificate,
  { provider, at }: ChainParts,
): Certificate | undefined {
  let best: Certificate | undefined;
  for (const candidate of candidates) {
    if (!mayHaveIssued(candidate, subject, provider)) continue;
    if (timeProblem(candidate, at) === undefined) return candidate;
    if (best === undefined || candidate.notAfter > best.notAfter) best = candidate;
  }
  return best;
}

/** No certificate stands twice, but for a self-issued leaf. */
function isFirstCopy(one: Certificate, chain: readonly Certificate[], provider: CryptoProvider): boolean {
  if (chain.length === 1 && traitsOf(chain[0]!, provider).isSelfIssued) return one !== chain[0];
  return !chain.some((certificate) => certificate.equals(one));
}

/** In whole seconds; the last one of the validity is over when it begins. What never was valid has expired. */
export function timeProblem(
  { notBefore, notAfter }: Certificate,
  at: Date,
): 'CERT_NOT_YET_VALID' | 'CERT_HAS_EXPIRED' | undefined {
  const now = Math.floor(at.getTime() / 1000);
  if (Math.floor(notAfter.getTime() / 1000) <= now) return 'CERT_HAS_EXPIRED';
  return Math.floor(notBefore.getTime() / 1000) > now ? 'CERT_NOT_YET_VALID' : undefined;
}
