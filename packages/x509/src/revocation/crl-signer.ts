import { bytesEqual, toHex } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type { RevocationRequest } from '../revocation-check.ts';
import { isValidAt, signatureProblemBy } from '../signed-data.ts';
import type { CertificateRevocationList } from './crl.ts';

/** Signatures tried on one list: names may be shared by several keys. */
const MOST_SIGNERS = 8;

/**
 * Finds who signed lists, and remembers it. A signer is a certificate of the path above the one in question, or one
 * of `others` that a certificate of the path issued: so the path to it ends in the same trust anchor
 * (RFC 5280 §6.3.3 (f)). It must be allowed to sign CRLs.
 */
export class CrlSigners {
  readonly #provider: CryptoProvider;
  readonly #others: readonly Certificate[];
  /** Outcomes by key, for each list; the last few keys only. */
  readonly #outcomes: WeakMap<CertificateRevocationList, Map<string, string | undefined>> = new WeakMap();

  constructor(provider: CryptoProvider, others: readonly Certificate[]) {
    this.#provider = provider;
    this.#others = others;
  }

  /** Why nobody who may have signed the list did, for people; undefined when somebody did. */
  problem(list: CertificateRevocationList, request: RevocationRequest): string | undefined {
    let problem = `no certificate of its issuer "${list.issuer.shown}" is known`;
    for (const signer of this.#candidates(list, request).slice(0, MOST_SIGNERS)) {
      try {
        if (signer.extensions.keyUsage?.has('cRLSign') === false) {
          problem = `its issuer may not sign lists (keyUsage cRLSign)`;
          continue;
        }
        const outcome = this.#signature(list, signer);
        if (outcome === undefined) return undefined;
        problem = outcome;
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        problem = error.message;
      }
    }
    return problem;
  }

  /** Those of the issuer's name, the likeliest first. */
  #candidates(list: CertificateRevocationList, request: RevocationRequest): Certificate[] {
    const above = request.path.slice(request.index + 1);
    const isDirect = list.issuer.equals(request.certificate.issuer);
    // A list of the issuer itself may be by another of its keys: by one that it, or who issued it, vouches for.
    const vouching = isDirect ? above.slice(0, 2) : above;
    const others = this.#others.filter(
      (other) =>
        hasName(other, list) &&
        isValidAt(other, request.at) &&
        vouching.some((issuer) => this.#isIssuedBy(other, issuer)),
    );
    const all = [...above.filter((certificate) => hasName(certificate, list)), ...others];
    const wanted = list.extensions.authorityKeyIdentifier?.keyIdentifier;
    const isNamed = (certificate: Certificate): boolean => {
      const offered = certificate.extensions.subjectKeyIdentifier;
      return wanted !== undefined && offered !== undefined && bytesEqual(wanted, offered);
    };
    return [...all.filter(isNamed), ...all.filter((certificate) => !isNamed(certificate))];
  }

  #isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
    return (
      certificate.issuer.equals(issuer.subject) &&
      signatureProblemBy(this.#provider, certificate, issuer) === undefined
    );
  }

  #signature(list: CertificateRevocationList, signer: Certificate): string | undefined {
    const key = toHex(signer.spki);
    let known = this.#outcomes.get(list);
    if (known === undefined) {
      known = new Map();
      this.#outcomes.set(list, known);
    }
    if (known.has(key)) return known.get(key);
    const outcome = signatureProblemBy(this.#provider, list, signer);
    if (known.size >= MOST_SIGNERS) known.clear();
    known.set(key, outcome);
    return outcome;
  }
}

function hasName(certificate: Certificate, list: CertificateRevocationList): boolean {
  return certificate.subject.equals(list.issuer);
}
