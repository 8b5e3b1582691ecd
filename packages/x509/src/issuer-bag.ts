import { bytesEqual } from '@testudo/codec';
import type { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import type { CertificateSource } from './path-tree.ts';

/** The certificates that a path can be built of besides trust anchors, found by subject; each stands once. */
export class IssuerBag {
  readonly #bySubject: Map<string, Certificate[]> = new Map();
  readonly #fetched: Set<Certificate> = new Set();

  /** Gives those that were not there. One whose names cannot be read can issue nothing: it is left out. */
  add(certificates: Iterable<Certificate>, source: CertificateSource): Certificate[] {
    const added: Certificate[] = [];
    for (const certificate of certificates) {
      const key = subjectKey(certificate);
      if (key === undefined) continue;
      const known = this.#bySubject.get(key);
      if (known === undefined) this.#bySubject.set(key, [certificate]);
      else if (known.some((other) => isSame(other, certificate))) continue;
      else known.push(certificate);
      added.push(certificate);
      if (source === 'fetched') this.#fetched.add(certificate);
    }
    return added;
  }

  /** Those whose subject is the issuer of `child`. Throws {@link CertificateError} `malformed`. */
  issuersOf(child: Certificate): readonly Certificate[] {
    return this.#bySubject.get(child.issuer.key) ?? [];
  }

  sourceOf(certificate: Certificate): CertificateSource {
    return this.#fetched.has(certificate) ? 'fetched' : 'peer';
  }
}

function subjectKey(certificate: Certificate): string | undefined {
  try {
    return certificate.subject.key;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** Signatures first: they differ in their first bytes where certificates made to look alike differ in the last. */
function isSame(a: Certificate, b: Certificate): boolean {
  return a === b || (bytesEqual(a.signature, b.signature) && a.equals(b));
}

/**
 * Those whose key identifier the child names, then those without one, then the others. Among equals those that are
 * valid at the time, and of these the one that is valid longest: renewals come last in time.
 */
export function byLikelihood(
  issuers: readonly Certificate[],
  child: Certificate,
  at: Date,
): readonly Certificate[] {
  if (issuers.length < 2) return issuers;
  return issuers
    .map((issuer) => ({
      issuer,
      distance: keyIdentifierDistance(issuer, child),
      isValid: isValidAt(issuer, at),
    }))
    .sort(
      (a, b) =>
        a.distance - b.distance ||
        Number(b.isValid) - Number(a.isValid) ||
        b.issuer.notAfter.getTime() - a.issuer.notAfter.getTime(),
    )
    .map(({ issuer }) => issuer);
}

/** 0: the child names this issuer's key; 1: nothing is said; 2: it names another key (RFC 5280 §4.2.1.1). */
export function keyIdentifierDistance(issuer: Certificate, child: Certificate): 0 | 1 | 2 {
  const wanted = identifier(() => child.extensions.authorityKeyIdentifier?.keyIdentifier);
  const offered = identifier(() => issuer.extensions.subjectKeyIdentifier);
  if (wanted === undefined || offered === undefined) return 1;
  return bytesEqual(wanted, offered) ? 0 : 2;
}

function isValidAt({ notBefore, notAfter }: Certificate, at: Date): boolean {
  return notBefore <= at && at <= notAfter;
}

/** An identifier that cannot be read only loses its place in the order. */
function identifier(read: () => Uint8Array | undefined): Uint8Array | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
