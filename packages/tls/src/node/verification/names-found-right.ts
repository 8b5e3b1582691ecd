import type { Certificate } from '@testudo/x509';

/** Names that are kept for one certificate. A client that goes to more, by a wildcard, looks at some of them anew. */
const MOST_NAMES = 16;

/**
 * Which names a certificate was found to be for, by rules that depend on nothing but the two. Kept as long as the certificate's
 * object is, so for peers that are met again as long as they are in the cache of what was verified; refusals are not kept.
 */
export class NamesFoundRight {
  readonly #names: WeakMap<Certificate, Set<string>> = new WeakMap();

  has(certificate: Certificate, name: string): boolean {
    return this.#names.get(certificate)?.has(name) ?? false;
  }

  add(certificate: Certificate, name: string): void {
    const names = this.#names.get(certificate) ?? new Set();
    if (names.size >= MOST_NAMES) names.clear();
    this.#names.set(certificate, names.add(name));
  }
}
