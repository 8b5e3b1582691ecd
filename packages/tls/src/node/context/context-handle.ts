import type { Certificate } from '@testudo/x509';
import type { Credential } from '../../certificates/credential.ts';
import { defaultAuthorities } from '../material/default-authorities.ts';
import { loadAuthorities } from '../material/load-identities.ts';

/**
 * The property `context` of a SecureContext. In Node it is OpenSSL's context; it is not documented, but programs that
 * bring CAs of their own (of the operating system, of a company) call `addCACert` on it. Also here is what can be
 * asked of it; all else that Node's has is missing.
 */
export class ContextHandle {
  readonly #owner: { readonly credentials: readonly Credential[] };
  readonly #add: (authorities: readonly Certificate[]) => void;

  constructor(
    owner: { readonly credentials: readonly Credential[] },
    add: (authorities: readonly Certificate[]) => void,
  ) {
    this.#owner = owner;
    this.#add = add;
  }

  /** Trusts more CAs: PEM, one or several, or DER. */
  addCACert(certificate: string | Uint8Array): void {
    this.#add(loadAuthorities(certificate as string) ?? []);
  }

  /** The default CAs besides those that were given. */
  addRootCerts(): void {
    this.#add([...defaultAuthorities()]);
  }

  /** The leaf of the first certificate chain, DER; null when there is none. */
  getCertificate(): Buffer | null {
    const leaf = this.#owner.credentials[0]?.certificates[0];
    return leaf === undefined ? null : Buffer.from(leaf);
  }

  /** The one above it, of those that are sent. */
  getIssuer(): Buffer | null {
    const issuer = this.#owner.credentials[0]?.certificates[1];
    return issuer === undefined ? null : Buffer.from(issuer);
  }

  close(): void {}

  /** Node's add-ons find OpenSSL's context by it; there is none. As any method, it is only for one's own. */
  get _external(): undefined {
    void this.#owner;
    return undefined;
  }
}
