import type { CryptoProvider, KeyKind, PublicKey, SignatureAlgorithm } from '@testudo/crypto';
import { acceptedSignature, breachOfKey, isBreach } from './algorithm-demands.ts';
import type { Budget } from './budget.ts';
import type { Certificate } from './certificate.ts';
import { blame, CertificateError, type CertificateErrorCode } from './errors.ts';
import type { KeyUsage } from './extensions.ts';
import { keyWithParametersOf, lacksParameters } from './inherited-parameters.ts';
import { ExtensionOid, KeyPurposeOid } from './oids.ts';
import type { PathPosition } from './path-position.ts';
import type { VerificationProfile } from './profile.ts';
import { breachOfRule } from './profile-rules.ts';
import type { PurposeDemands } from './purpose.ts';
import { hasSpecifiedCurve } from './specified-curve.ts';

export interface CheckContext {
  readonly provider: CryptoProvider;
  readonly at: Date;
  readonly purpose: PurposeDemands;
  /** One of these must be allowed to the leaf; empty: not looked at. */
  readonly leafKeyUsage: readonly KeyUsage[];
  readonly profile: VerificationProfile;
  readonly budget: Budget;
}

/** What is asked of one certificate, by its place in the path. All throw {@link CertificateError}. */
export class CertificateChecks {
  readonly #context: CheckContext;
  /** notAfter is the last second that counts (RFC 5280 §4.1.2.5): fractions of it are still inside. */
  readonly #second: number;
  /** Outcome per child and issuer: several paths may cross the same link. */
  readonly #signatures: Map<Certificate, Map<Certificate, boolean>> = new Map();
  /** Those whose key has no parameters of its own: what it is good for is known when its issuer is. */
  readonly #inheriting: Set<Certificate> = new Set();
  /** Those that were found good in themselves, by place. */
  readonly #passed: Map<Certificate, PathPosition> = new Map();

  constructor(context: CheckContext) {
    this.#context = context;
    this.#second = Math.floor(context.at.getTime() / 1000) * 1000;
  }

  /** What all of it is held to. */
  get profile(): VerificationProfile {
    return this.#context.profile;
  }

  /** The peer's own certificate. */
  leaf(leaf: Certificate): void {
    const { leafKeyUsage } = this.#context;
    blame(leaf, () => {
      if (leaf.version !== 3 && !leaf.isSelfIssued)
        throw fail('unsupported-version', leaf, `version ${leaf.version}`, 'issue it again as version 3');
      this.#common(leaf, 'leaf');
      const usage = leaf.extensions.keyUsage;
      if (usage !== undefined && leafKeyUsage.length > 0 && !leafKeyUsage.some((one) => usage.has(one)))
        throw fail(
          'bad-key-usage',
          leaf,
          `keyUsage does not allow ${leafKeyUsage.join(' or ')}`,
          'issue it with that usage',
        );
      this.#purpose(leaf, false);
      // Whoever uses the names later may rely on that they can be read.
      void leaf.extensions.subjectAltName;
    });
  }

  /**
   * A certificate that is to have issued another: what RFC 5280 §6.1.4 asks before the next certificate is looked at.
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
      // RFC 5280 §6.1.4 (l), (m)
      const limit = issuer.extensions.basicConstraints?.pathLength;
      if (limit !== undefined && intermediates > limit)
        throw fail(
          'path-too-long',
          issuer,
          `it allows ${limit} intermediates below it, but there are ${intermediates}`,
        );
    });
  }

  /**
   * That `issuer`'s key made the signature on the last certificate of `path` (RFC 5280 §6.1.3 (a)(1)). Where it inherits the
   * parameters of its key, that is looked at together with the next issuer.
   */
  signature(path: readonly Certificate[], issuer: Certificate): void {
    if (this.#inheriting.has(issuer)) return;
    this.#signature(path.at(-1)!, issuer);
    for (let i = path.length - 1; i >= 0 && this.#inheriting.has(path[i]!); i--) {
      const { provider, profile } = this.#context;
      // A key without parameters has those of its issuer (RFC 5280 §6.1.4 (e)).
      const key = keyWithParametersOf(provider, path[i]!, issuer);
      const breach = breachOfKey(key.kind, profile);
      if (breach !== undefined) throw fail(breach.code, path[i]!, breach.what);
      if (i > 0) this.#signature(path[i - 1]!, path[i]!, key);
    }
  }

  /** @param inherited the key of `issuer` where that is no matter of its certificate alone. */
  #signature(child: Certificate, issuer: Certificate, inherited?: PublicKey): void {
    const algorithm = acceptedSignature(child.signatureAlgorithm, this.#context.profile);
    if (isBreach(algorithm))
      throw fail(algorithm.code, child, algorithm.what, 'issue it again with SHA-256 or better');
    const isSigned =
      inherited === undefined
        ? this.#isSigned(child, issuer, algorithm)
        : this.#verify(child, inherited, algorithm);
    if (!isSigned)
      throw fail(
        'bad-signature',
        child,
        `the signature was not made by "${issuer.subject.shown}"`,
        'the certificate was altered, or another CA has that name',
      );
  }

  #isSigned(child: Certificate, issuer: Certificate, algorithm: SignatureAlgorithm): boolean {
    let outcomes = this.#signatures.get(child);
    if (outcomes === undefined) {
      outcomes = new Map();
      this.#signatures.set(child, outcomes);
    }
    // RFC 5280 §6.1.4 (d), (f)
    let isValid = outcomes.get(issuer);
    if (isValid === undefined) {
      isValid = this.#verify(child, issuer.publicKey(this.#context.provider), algorithm);
      outcomes.set(issuer, isValid);
    }
    return isValid;
  }

  #verify(child: Certificate, key: PublicKey, algorithm: SignatureAlgorithm): boolean {
    const { provider, budget } = this.#context;
    budget.spend('signatures');
    return provider.verify(algorithm, key, child.tbs, child.signature);
  }

  /** The kind of a key. Of one that inherits its parameters, only that it is of DSA counts for now. */
  #keyKind(certificate: Certificate, position: PathPosition): KeyKind {
    const { provider, profile } = this.#context;
    if (hasSpecifiedCurve(certificate))
      throw fail(
        'unsupported-algorithm',
        certificate,
        'the key writes the parameters of its curve out, which certificates must not do (RFC 5480 §2.1.1)',
      );
    try {
      return certificate.publicKey(provider).kind;
    } catch (error) {
      if (position === 'anchor' || !lacksParameters(certificate)) throw error;
      this.#inheriting.add(certificate);
      return { type: 'dsa', bits: profile.minimumRsaBits };
    }
  }

  /** Validity, critical extensions, the key, and the profile's rules. */
  #common(certificate: Certificate, position: PathPosition): void {
    const { profile } = this.#context;
    this.#validity(certificate, position);
    // Names that cannot be read cannot be compared, neither here nor in the next step.
    void certificate.subject.key;
    void certificate.issuer.key;
    // Key identifiers only give an order to the search. Still, what cannot be read has no place in a path.
    void certificate.extensions.authorityKeyIdentifier;
    void certificate.extensions.subjectKeyIdentifier;
    // RFC 5280 §6.1.4 (o), §6.1.5 (f)
    const unknown = certificate.extensions.firstUnknownCritical;
    if (unknown !== undefined)
      throw fail(
        'unknown-critical-extension',
        certificate,
        unknown === ExtensionOid.certificatePolicies
          ? 'certificatePolicies is critical, and has a qualifier that is not supported'
          : `the critical extension ${unknown} is not supported`,
      );
    const kind = this.#keyKind(certificate, position);
    const breach = breachOfKey(kind, profile);
    if (breach !== undefined) throw fail(breach.code, certificate, breach.what);
    for (const rule of profile.rules) {
      const problem = breachOfRule(rule, certificate, position, kind);
      if (problem !== undefined)
        throw fail('profile-violation', certificate, `${problem} (profile ${profile.name})`);
    }
  }

  /** RFC 5280 §6.1.3 (a)(2), and how long the profile lets a leaf live. */
  #validity(certificate: Certificate, position: PathPosition): void {
    const { at, profile } = this.#context;
    const { notBefore, notAfter } = certificate;
    if (this.#second > notAfter.getTime())
      throw fail(
        'expired',
        certificate,
        `it expired on ${notAfter.toISOString()}`,
        'renew it, or set the clock',
      );
    // Also for a time that is none, which is before and after nothing.
    if (!(at.getTime() >= notBefore.getTime()))
      throw fail(
        'not-yet-valid',
        certificate,
        `it is valid from ${notBefore.toISOString()}`,
        'set the clock, or wait',
      );
    const { maximumLeafDays } = profile;
    if (position !== 'leaf' || maximumLeafDays === undefined) return;
    // Both ends are inside (RFC 5280 §4.1.2.5).
    const days = (notAfter.getTime() + 1000 - notBefore.getTime()) / 86_400_000;
    if (days > maximumLeafDays)
      throw fail(
        'profile-violation',
        certificate,
        `it is valid for ${Math.ceil(days)} days; at most ${maximumLeafDays} are allowed (profile ${profile.name})`,
      );
  }

  #authority(issuer: Certificate, position: 'intermediate' | 'anchor'): void {
    // A trust anchor is a name and a key (RFC 5280 §6.1.1 (d)); roots of version 1 cannot say more.
    if (position === 'anchor' && issuer.version === 1) return;
    // RFC 5280 §6.1.4 (k): version 3, which alone has extensions, and a CA.
    if (issuer.extensions.basicConstraints?.ca !== true)
      throw fail('not-a-ca', issuer, 'it is not a CA (basicConstraints), but issued a certificate');
    // Without keyUsage a key may do anything (RFC 5280 §6.1.4 (n)).
    if (issuer.extensions.keyUsage?.has('keyCertSign') === false)
      throw fail('bad-key-usage', issuer, 'keyUsage does not allow it to issue certificates (keyCertSign)');
    // What it issues names it as the issuer, so it needs a name (RFC 5280 §4.1.2.6).
    if (issuer.subject.isEmpty) throw fail('malformed', issuer, 'a CA without a name');
  }

  /** extendedKeyUsage (RFC 5280 §4.2.1.12) of a CA limits what is below it, as all implementations have it. */
  #purpose(certificate: Certificate, isIssuer: boolean): void {
    const { title, extendedKeyUsage, acceptsAny, isExplicit, isExclusive } = this.#context.purpose;
    if (extendedKeyUsage.length === 0) return;
    const purposes = certificate.extensions.extendedKeyUsage;
    if (purposes === undefined && (isIssuer || isExplicit !== true)) return;
    const isAllowed =
      purposes !== undefined &&
      (extendedKeyUsage.some((one) => purposes.includes(one)) ||
        ((isIssuer || acceptsAny === true) && purposes.includes(KeyPurposeOid.any)));
    if (isAllowed && !isIssuer && isExclusive === true) {
      const isCritical = certificate.extensions.get(ExtensionOid.extendedKeyUsage)?.critical === true;
      if (isCritical && purposes.length === 1) return;
      throw fail(
        'bad-extended-key-usage',
        certificate,
        `extendedKeyUsage of a ${title} must ${isCritical ? 'contain nothing else' : 'be critical'}`,
        `issue it for a ${title} only, and mark that as critical`,
      );
    }
    if (isAllowed) return;
    throw fail(
      'bad-extended-key-usage',
      certificate,
      `extendedKeyUsage does not allow a ${title}`,
      `issue it for a ${title} (${extendedKeyUsage.join(', ')})`,
    );
  }
}

function fail(
  code: CertificateErrorCode,
  certificate: Certificate,
  what: string,
  hint?: string,
): CertificateError {
  return new CertificateError(
    code,
    `certificate "${certificate.subject.shown}": ${what}`,
    certificate,
    undefined,
    hint,
  );
}
