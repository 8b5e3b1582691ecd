import { bytesEqual } from '@testudo/codec';
import type { CryptoProvider, KeySpec, PrivateKey, PublicKey } from '@testudo/crypto';
import {
  type AuthorityContentRequest,
  authorityContent,
  DEFAULT_KEY,
  subjectFor,
  type Unissued,
  validity,
} from './authority/content.ts';
import { toGeneralName } from './authority/names.ts';
import { type Publication, publicationExtensions } from './authority/publication.ts';
import { renewedContent } from './authority/renewal.ts';
import { type GrantedRequest, grantRequest, type SigningRules } from './authority/request-rules.ts';
import { distinguishedNameOf, type SubjectAttributes } from './authority/subject.ts';
import { type CertificatePurpose, keyUsageFor, TEMPLATES } from './authority/templates.ts';
import { buildCertificate, keyIdentifierOf, randomSerialNumber } from './build.ts';
import type { Certificate } from './certificate.ts';
import { DELEGATION_USAGE } from './delegation-usage.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { CertificateError } from './errors.ts';
import type { Extension } from './extensions.ts';
import type { GeneralName } from './general-name.ts';
import { parseCertificates, parsePrivateKey } from './load.ts';
import { MUST_STAPLE } from './revocation/must-staple.ts';
import { signatureProblemBy } from './signed-data.ts';

export interface CertificateAuthorityRequest extends AuthorityContentRequest {
  /** Default: an elliptic-curve key on P-256. */
  readonly key?: KeySpec | undefined;
}

export interface CertificateRequest {
  /** Domains (also `*.example.com`), addresses, mail addresses. A server's certificate needs one at least. */
  readonly names?: readonly string[] | undefined;
  /** See {@link TEMPLATES}. */
  readonly purpose: CertificatePurpose;
  /** Default: the first name, if it has at most 64 characters. */
  readonly commonName?: string | undefined;
  /** Further attributes of the subject, as organization and country. Default: none but the common name. */
  readonly subject?: Omit<SubjectAttributes, 'commonName'> | undefined;
  /** The subject's own key. Default: a new one is made, see `key`. */
  readonly publicKey?: PublicKey | undefined;
  /** The kind of key to make. Default: P-256. */
  readonly key?: KeySpec | undefined;
  /** Default 397, the longest that browsers take (30 for OCSP responders); never beyond the CA's own end. */
  readonly days?: number | undefined;
  /** The moment of issue. Default: now. */
  readonly at?: Date | undefined;
  /** The server must staple OCSP responses (RFC 7633). Default false. */
  readonly mustStaple?: boolean | undefined;
  /** The owner may sign delegated credentials (RFC 9345). Default false. */
  readonly delegationUsage?: boolean | undefined;
}

export interface IssuedCertificate {
  readonly certificate: Certificate;
  /** What to send in TLS: the certificate and the intermediates above it, without the root. */
  readonly certificateChain: readonly Certificate[];
  /** The key that was made; undefined when the request brought its own public key. */
  readonly privateKey: PrivateKey | undefined;
}

/** What may differ in a renewed certificate. */
export interface RenewalRequest {
  /** Default: the same key again. */
  readonly publicKey?: PublicKey | undefined;
  /** Default: as many as it had. */
  readonly days?: number | undefined;
  /** The moment of issue. Default: now. */
  readonly at?: Date | undefined;
}

/** A new self-signed root. Throws `RangeError` on names and constraints that cannot stand in a certificate. */
export function createCertificateAuthority(
  request: CertificateAuthorityRequest & { readonly provider: CryptoProvider },
): CertificateAuthority {
  const { provider } = request;
  const privateKey = provider.generateKey(request.key ?? DEFAULT_KEY);
  const content = authorityContent(request, privateKey.publicKey, provider);
  const certificate = buildCertificate(
    {
      ...content,
      issuer: content.subject,
      authorityKeyIdentifier: keyIdentifierOf(privateKey.publicKey, provider),
    },
    provider,
    privateKey,
  );
  return new CertificateAuthority(provider, [certificate], privateKey);
}

/**
 * A CA from files: its certificate, for an intermediate followed by those above it, and its private key; PEM or DER.
 * Throws {@link CertificateError}: `not-a-ca`, `malformed` when certificate and key do not belong together, or what
 * {@link parsePrivateKey} throws about passwords.
 */
export function loadCertificateAuthority(files: {
  readonly provider: CryptoProvider;
  readonly certificate: string | Uint8Array;
  readonly privateKey: string | Uint8Array;
  /** Of an encrypted private key. */
  readonly password?: string | undefined;
}): CertificateAuthority {
  const chain = parseCertificates(files.certificate);
  const privateKey = parsePrivateKey(files.privateKey, files.provider, { password: files.password });
  const [certificate] = chain as [Certificate];
  if (certificate.extensions.basicConstraints?.ca !== true)
    throw new CertificateError(
      'not-a-ca',
      'the certificate is not a CA; give the CA\u2019s certificate first',
      certificate,
    );
  if (!bytesEqual(certificate.publicKey(files.provider).spki, privateKey.publicKey.spki))
    throw new CertificateError(
      'malformed',
      'the private key does not belong to the CA\u2019s certificate',
      certificate,
    );
  return new CertificateAuthority(files.provider, chain, privateKey);
}

/** Issues certificates. Made by {@link createCertificateAuthority} or {@link loadCertificateAuthority}. */
export class CertificateAuthority {
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
  readonly provider: CryptoProvider;
  /** This CA and those above it, without a self-issued root. */
  readonly #sent: readonly Certificate[];
  readonly #publication: Publication;

  /** @internal */
  constructor(
    provider: CryptoProvider,
    chain: readonly Certificate[],
    privateKey: PrivateKey,
    publication: Publication = {},
  ) {
    this.certificate = chain[0]!;
    this.privateKey = privateKey;
    this.provider = provider;
    this.#sent = chain.filter((certificate) => !certificate.isSelfIssued);
    this.#publication = publication;
  }

  /** The same CA, whose certificates say where its OCSP responder, its CRLs and its own certificate are. */
  withPublication(publication: Publication): CertificateAuthority {
    const above = this.#sent.filter((certificate) => certificate !== this.certificate);
    return new CertificateAuthority(
      this.provider,
      [this.certificate, ...above],
      this.privateKey,
      publication,
    );
  }

  /** A certificate with the names given. Throws `RangeError` on names that cannot stand in one. */
  issue(request: CertificateRequest): IssuedCertificate {
    const names = (request.names ?? []).map(toGeneralName);
    checkNames(names, request.purpose);
    const commonName = request.commonName ?? request.names?.[0];
    if (commonName === undefined) throw new RangeError('a certificate needs a name or a common name');
    const privateKey =
      request.publicKey === undefined ? this.provider.generateKey(request.key ?? DEFAULT_KEY) : undefined;
    const short = subjectFor(commonName, request.commonName !== undefined);
    const subject =
      request.subject === undefined
        ? short
        : distinguishedNameOf({ ...request.subject, commonName: short.commonName });
    const publicKey = request.publicKey ?? privateKey!.publicKey;
    return { ...this.#issue({ ...request, subject, names, publicKey }), privateKey };
  }

  /**
   * A certificate for whoever made a certification request, as far as the rules allow what it asks for.
   * Throws {@link CertificateError}: `bad-signature` when the request does not prove that its key is held, `weak-key`,
   * `profile-violation` when it asks for what the rules do not grant, `malformed`, `unsupported-algorithm`.
   */
  sign(request: string | Uint8Array, rules: SigningRules): IssuedCertificate {
    const granted: GrantedRequest = grantRequest(request, rules, this.provider);
    return this.#issue({ ...rules, ...granted });
  }

  /**
   * The same certificate anew: names, usages and further extensions stay, serial number and dates are new. Throws
   * {@link CertificateError} `unknown-issuer` for one that this CA did not issue, `not-a-ca` for a CA's own.
   */
  renew(certificate: Certificate, request: RenewalRequest = {}): IssuedCertificate {
    if (
      !certificate.issuer.equals(this.certificate.subject) ||
      signatureProblemBy(this.provider, certificate, this.certificate) !== undefined
    )
      throw new CertificateError('unknown-issuer', 'the certificate was not issued by this CA', certificate);
    const content = renewedContent(certificate, request.publicKey ?? certificate.publicKey(this.provider));
    const days = request.days ?? (+certificate.notAfter - +certificate.notBefore) / 86_400_000;
    const serialNumber = randomSerialNumber(this.provider);
    const renewed = this.#build({ ...content, serialNumber, ...this.#validity(request.at, days) });
    return { certificate: renewed, certificateChain: [renewed, ...this.#sent], privateKey: undefined };
  }

  /** An intermediate CA under this one; by default it may issue no further CAs. */
  issueAuthority(request: CertificateAuthorityRequest): CertificateAuthority {
    const privateKey = this.provider.generateKey(request.key ?? DEFAULT_KEY);
    const content = authorityContent({ pathLength: 0, ...request }, privateKey.publicKey, this.provider);
    const certificate = this.#build({
      ...content,
      ...this.#validity(request.at, request.days ?? 3650),
      others: [...(content.others ?? []), ...publicationExtensions(this.#publication)],
    });
    return new CertificateAuthority(this.provider, [certificate, ...this.#sent], privateKey);
  }

  #issue(request: {
    readonly purpose: CertificatePurpose;
    readonly subject: DistinguishedName;
    readonly names: readonly GeneralName[];
    readonly publicKey: PublicKey;
    readonly days?: number | undefined;
    readonly at?: Date | undefined;
    readonly mustStaple?: boolean | undefined;
    readonly delegationUsage?: boolean | undefined;
  }): IssuedCertificate {
    const template = TEMPLATES[request.purpose];
    const { names, publicKey } = request;
    const others: Extension[] = [...(template.extensions ?? [])];
    // Nobody asks about the certificate of a responder.
    if (request.purpose !== 'ocsp-responder') others.push(...publicationExtensions(this.#publication));
    if (request.mustStaple === true) others.push(MUST_STAPLE);
    if (request.delegationUsage === true) others.push(DELEGATION_USAGE);
    const certificate = this.#build({
      ...this.#validity(request.at, request.days ?? template.days),
      serialNumber: randomSerialNumber(this.provider),
      subject: request.subject,
      publicKey,
      ca: false,
      keyUsage: keyUsageFor(template, publicKey.kind),
      extendedKeyUsage: template.extendedKeyUsage,
      subjectAltName: names.length === 0 ? undefined : names,
      others,
    });
    return { certificate, certificateChain: [certificate, ...this.#sent], privateKey: undefined };
  }

  #build(content: Unissued): Certificate {
    const own = this.certificate;
    const authorityKeyIdentifier =
      own.extensions.subjectKeyIdentifier ?? keyIdentifierOf(this.privateKey.publicKey, this.provider);
    const whole = { ...content, issuer: own.subject, authorityKeyIdentifier };
    return buildCertificate(whole, this.provider, this.privateKey);
  }

  /** Inside the CA's own validity: outside, nothing would verify. */
  #validity(at: Date | undefined, days: number): { notBefore: Date; notAfter: Date } {
    const { notBefore, notAfter } = validity(at, days);
    const own = this.certificate;
    return {
      notBefore: new Date(Math.max(+notBefore, +own.notBefore)),
      notAfter: new Date(Math.min(+notAfter, +own.notAfter)),
    };
  }
}

function checkNames(names: readonly GeneralName[], purpose: CertificatePurpose): void {
  const template = TEMPLATES[purpose];
  const wrong = names.find(({ kind }) => !template.names.includes(kind));
  if (wrong !== undefined)
    throw new RangeError(`a certificate for ${purpose} cannot have ${wrong.kind} names`);
  if (template.needsOneOf.length > 0 && !names.some(({ kind }) => template.needsOneOf.includes(kind)))
    throw new RangeError(
      `a certificate for ${purpose} needs at least one name: ${template.needsOneOf.join(', ')}`,
    );
}
