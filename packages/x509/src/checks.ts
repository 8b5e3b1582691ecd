import type { CryptoProvider, PublicKey, SignatureAlgorithm } from '@testudo/crypto';
import { signatureAlgorithmOf } from './algorithm.ts';
import type { Budget } from './budget.ts';
import type { Certificate } from './certificate.ts';
import { blame, CertificateError, type CertificateErrorCode } from './errors.ts';
import type { KeyUsage } from './extensions.ts';
import { KeyPurposeOid } from './oids.ts';
import type { PathPosition, VerificationProfile } from './profile.ts';

export interface CheckContext {
  readonly provider: CryptoProvider;
  readonly at: Date;
  readonly purpose: 'server' | 'client';
  readonly leafKeyUsage: KeyUsage;
  readonly profile: VerificationProfile;
  readonly budget: Budget;
}

/** What is asked of one certificate, by its place in the path. All throw {@link CertificateError}. */
export class CertificateChecks {
  readonly #context: CheckContext;
  /** Outcome per child and issuer: several paths may cross the same link. */
  readonly #signatures: Map<Certificate, Map<Certificate, boolean>> = new Map();
  /** Those that were found good in themselves, by place. */
  readonly #passed: Map<Certificate, PathPosition> = new Map();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  /** The peer's own certificate. */
  leaf(leaf: Certificate): void {
    const { leafKeyUsage } = this.#context;
    blame(leaf, () => {
      if (leaf.version !== 3 && !leaf.isSelfIssued)
        throw fail('unsupported-version', leaf, `version ${leaf.version}; issue it again as version 3`);
      this.#common(leaf, 'leaf');
      const usage = leaf.extensions.keyUsage;
      if (usage !== undefined && !usage.has(leafKeyUsage))
        throw fail(
          'bad-key-usage',
          leaf,
          `keyUsage does not allow ${leafKeyUsage}; issue it with that usage`,
        );
      this.#purpose(leaf, false);
      // Whoever uses the names later may rely on that they can be read.
      void leaf.extensions.subjectAltName;
    });
  }

  /**
   * A certificate that is to have issued another.
   * @param intermediates how many certificates stand between it and the leaf, self-issued ones not counted.
   */
  issuer(issuer: Certificate, position: 'intermediate' | 'anchor', intermediates: number): void {
    blame(issuer, () => {
      if (this.#passed.get(issuer) !== position) {
        this.#authority(issuer, position);
        this.#common(issuer, position);
        this.#purpose(issuer, true);
        this.#passed.set(issuer, position);
      }
      const limit = issuer.extensions.basicConstraints?.pathLength;
      if (limit !== undefined && intermediates > limit)
        throw fail(
          'path-too-long',
          issuer,
          `it allows ${limit} intermediates below it, there are ${intermediates}`,
        );
    });
  }

  /** That `issuer`'s key made the signature on `child`. */
  signature(child: Certificate, issuer: Certificate): void {
    const verdict = signatureAlgorithmOf(child.signatureAlgorithm);
    if (verdict.kind !== 'supported') {
      const code = (
        { weak: 'weak-signature', unsupported: 'unsupported-algorithm', malformed: 'malformed' } as const
      )[verdict.kind];
      throw fail(code, child, `it is signed with ${verdict.name}; issue it again with SHA-256 or better`);
    }
    const key = issuer.publicKey(this.#context.provider);
    this.#key(key, issuer);
    if (!this.#isSigned(child, issuer, verdict.algorithm, key))
      throw fail(
        'bad-signature',
        child,
        `the signature is not by "${issuer.subject.shown}"; the certificate was altered, or another CA has that name`,
      );
  }

  #isSigned(child: Certificate, issuer: Certificate, algorithm: SignatureAlgorithm, key: PublicKey): boolean {
    const outcomes = this.#signatures.get(child) ?? new Map<Certificate, boolean>();
    this.#signatures.set(child, outcomes);
    let isValid = outcomes.get(issuer);
    if (isValid === undefined) {
      this.#context.budget.spend('signatures');
      isValid = this.#context.provider.verify(algorithm, key, child.tbs, child.signature);
      outcomes.set(issuer, isValid);
    }
    return isValid;
  }

  /** Validity, critical extensions, the profile's rules, and the key's strength. */
  #common(certificate: Certificate, position: PathPosition): void {
    const { at, profile, provider } = this.#context;
    // notAfter is the last second that counts (RFC 5280 §4.1.2.5): fractions of it are still inside.
    if (Math.floor(at.getTime() / 1000) * 1000 > certificate.notAfter.getTime())
      throw fail(
        'expired',
        certificate,
        `it expired on ${certificate.notAfter.toISOString()}; renew it, or set the clock`,
      );
    if (at < certificate.notBefore)
      throw fail(
        'not-yet-valid',
        certificate,
        `it is valid from ${certificate.notBefore.toISOString()}; set the clock, or wait`,
      );
    // Names that cannot be read cannot be compared, neither here nor in the next step.
    void certificate.subject.key;
    void certificate.issuer.key;
    const [unknown] = certificate.extensions.unknownCritical;
    if (unknown !== undefined)
      throw fail(
        'unknown-critical-extension',
        certificate,
        `the critical extension ${unknown} is not supported`,
      );
    const key = certificate.publicKey(provider);
    this.#key(key, certificate);
    for (const rule of profile.rules) {
      const problem = rule(certificate, position, key.kind);
      if (problem !== undefined)
        throw fail('profile-violation', certificate, `${problem} (profile ${profile.name})`);
    }
  }

  #authority(issuer: Certificate, position: 'intermediate' | 'anchor'): void {
    // A trust anchor is a name and a key (RFC 5280 §6.1.1 (d)); roots of version 1 cannot say more.
    if (position === 'anchor' && issuer.version === 1) return;
    if (issuer.extensions.basicConstraints?.ca !== true)
      throw fail('not-a-ca', issuer, 'it is not a CA (basicConstraints), but issued a certificate');
    if (issuer.extensions.keyUsage?.has('keyCertSign') === false)
      throw fail('bad-key-usage', issuer, 'keyUsage does not allow it to issue certificates (keyCertSign)');
    // RFC 5280 §4.1.2.6
    if (issuer.subject.isEmpty) throw fail('malformed', issuer, 'a CA without a name');
  }

  /** extendedKeyUsage of a CA limits what is below it, as all implementations have it. */
  #purpose(certificate: Certificate, isIssuer: boolean): void {
    const purposes = certificate.extensions.extendedKeyUsage;
    const { purpose } = this.#context;
    if (purposes === undefined || purposes.includes(PURPOSES[purpose])) return;
    if (isIssuer && purposes.includes(KeyPurposeOid.any)) return;
    throw fail(
      'bad-extended-key-usage',
      certificate,
      `extendedKeyUsage does not allow a TLS ${purpose}; issue it for ${purpose}Auth`,
    );
  }

  #key({ kind }: PublicKey, certificate: Certificate): void {
    if (kind.type !== 'rsa' && kind.type !== 'rsa-pss') return;
    const { minimumRsaBits, maximumRsaBits } = this.#context.profile;
    if (kind.bits < minimumRsaBits)
      throw fail('weak-key', certificate, `its RSA key has ${kind.bits} bits, ${minimumRsaBits} are needed`);
    if (kind.bits > maximumRsaBits)
      throw fail(
        'unsupported-algorithm',
        certificate,
        `its RSA key has ${kind.bits} bits, ${maximumRsaBits} are allowed`,
      );
  }
}

const PURPOSES = { server: KeyPurposeOid.serverAuth, client: KeyPurposeOid.clientAuth } as const;

function fail(code: CertificateErrorCode, certificate: Certificate, what: string): CertificateError {
  return new CertificateError(code, `certificate "${certificate.subject.shown}": ${what}`, certificate);
}
