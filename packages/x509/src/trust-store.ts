import type { Certificate } from './certificate.ts';
import type { DistinguishedName } from './distinguished-name.ts';

/**
 * Certificates that are trusted by themselves (RFC 5280 §6.1.1 (d)), found by subject. Nearly always self-signed roots; an
 * intermediate or a leaf may be pinned, too. It does not change: make a new one.
 */
export class TrustStore implements Iterable<Certificate> {
  readonly #bySubject: Map<string, Certificate[]> = new Map();

  /** Throws {@link CertificateError} `malformed` when a root's subject cannot be read. */
  constructor(roots: Iterable<Certificate>) {
    for (const root of roots) {
      const key = root.subject.key;
      const known = this.#bySubject.get(key);
      if (known === undefined) this.#bySubject.set(key, [root]);
      else if (!known.some((other) => other.equals(root))) known.push(root);
    }
  }

  get size(): number {
    return [...this].length;
  }

  *[Symbol.iterator](): IterableIterator<Certificate> {
    for (const roots of this.#bySubject.values()) yield* roots;
  }

  /** Those whose subject is `name`. */
  withSubject(name: DistinguishedName): readonly Certificate[] {
    return this.#bySubject.get(name.key) ?? [];
  }

  /** True when this very certificate is in the store. */
  has(certificate: Certificate): boolean {
    return this.withSubject(certificate.subject).some((root) => root.equals(certificate));
  }
}
