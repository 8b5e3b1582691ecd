import { bytesEqual } from '@testudo/codec';
import type { CryptoProvider, KeySpec, PrivateKey, PublicKey } from '@testudo/crypto';
import { buildCertificate, type CertificateContent, keyIdentifierOf, randomSerialNumber } from './build.ts';
import type { Certificate } from './certificate.ts';
import { DistinguishedName } from './distinguished-name.ts';
import { CertificateError } from './errors.ts';
import type { GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { parseCertificates, parsePrivateKey } from './load.ts';
import { KeyPurposeOid } from './oids.ts';
import { toAsciiDomain } from './peer-name.ts';

export interface CertificateAuthorityRequest {
  readonly commonName: string;
  /** Default: an elliptic-curve key on P-256. */
  readonly key?: KeySpec | undefined;
  /** Default 3650. */
  readonly days?: number | undefined;
  /** Intermediates allowed below. Default: no limit for a root, 0 for an intermediate. */
  readonly pathLength?: number | undefined;
  /** The moment of issue. Default: now. */
  readonly at?: Date | undefined;
}

export interface CertificateRequest {
  /** Domains (also `*.example.com`), addresses, mail addresses. A server's certificate needs one at least. */
  readonly names?: readonly string[] | undefined;
  readonly purpose: 'server' | 'client';
  /** Default: the first name, if it has at most 64 characters. */
  readonly commonName?: string | undefined;
  /** The subject's own key. Default: a new one is made, see `key`. */
  readonly publicKey?: PublicKey | undefined;
  /** The kind of key to make. Default: P-256. */
  readonly key?: KeySpec | undefined;
  /** Default 397, the longest that browsers take; never beyond the CA's own end. */
  readonly days?: number | undefined;
  /** The moment of issue. Default: now. */
  readonly at?: Date | undefined;
}

export interface IssuedCertificate {
  readonly certificate: Certificate;
  /** What to send in TLS: the certificate and the intermediates above it, without the root. */
  readonly certificateChain: readonly Certificate[];
  /** The key that was made; undefined when the request brought its own public key. */
  readonly privateKey: PrivateKey | undefined;
}

/** A new self-signed root. */
export function createCertificateAuthority(
  request: CertificateAuthorityRequest & { readonly provider: CryptoProvider },
): CertificateAuthority {
  const { provider } = request;
  const privateKey = provider.generateKey(request.key ?? DEFAULT_KEY);
  const name = DistinguishedName.ofCommonName(request.commonName);
  const certificate = buildCertificate(
    {
      ...authorityContent(request, privateKey.publicKey, provider),
      issuer: name,
      authorityKeyIdentifier: keyIdentifierOf(privateKey.publicKey, provider),
    },
    provider,
    privateKey,
  );
  return new CertificateAuthority(provider, [certificate], privateKey);
}

/**
 * A CA from files: its certificate, for an intermediate followed by those above it, and its private key; PEM or DER.
 * Throws {@link CertificateError}: `not-a-ca`, or `malformed` when certificate and key do not belong together.
 */
export function loadCertificateAuthority(files: {
  readonly provider: CryptoProvider;
  readonly certificate: string | Uint8Array;
  readonly privateKey: string | Uint8Array;
}): CertificateAuthority {
  const chain = parseCertificates(files.certificate);
  const privateKey = parsePrivateKey(files.privateKey, files.provider);
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
  readonly #provider: CryptoProvider;
  /** This CA and those above it, without a self-issued root. */
  readonly #sent: readonly Certificate[];

  /** @internal */
  constructor(provider: CryptoProvider, chain: readonly Certificate[], privateKey: PrivateKey) {
    this.certificate = chain[0]!;
    this.privateKey = privateKey;
    this.#provider = provider;
    this.#sent = chain.filter((certificate) => !certificate.isSelfIssued);
  }

  /** A certificate for a server or a client. Throws `RangeError` on names that cannot stand in one. */
  issue(request: CertificateRequest): IssuedCertificate {
    const names = (request.names ?? []).map(toGeneralName);
    if (request.purpose === 'server' && names.length === 0)
      throw new RangeError('a server certificate needs at least one name');
    const commonName = request.commonName ?? request.names?.[0];
    if (commonName === undefined) throw new RangeError('a certificate needs a name or a common name');
    const privateKey =
      request.publicKey === undefined ? this.#provider.generateKey(request.key ?? DEFAULT_KEY) : undefined;
    const publicKey = request.publicKey ?? privateKey!.publicKey;
    const certificate = this.#sign({
      ...this.#validity(request.at, request.days ?? 397),
      serialNumber: randomSerialNumber(this.#provider),
      subject: subjectFor(commonName, request.commonName !== undefined),
      publicKey,
      ca: false,
      // Key transport of TLS 1.2 and older encrypts to RSA keys.
      keyUsage:
        publicKey.kind.type === 'rsa' ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
      extendedKeyUsage: [request.purpose === 'server' ? KeyPurposeOid.serverAuth : KeyPurposeOid.clientAuth],
      subjectAltName: names.length === 0 ? undefined : names,
    });
    return { certificate, certificateChain: [certificate, ...this.#sent], privateKey };
  }

  /** An intermediate CA under this one; by default it may issue no further CAs. */
  issueAuthority(request: CertificateAuthorityRequest): CertificateAuthority {
    const privateKey = this.#provider.generateKey(request.key ?? DEFAULT_KEY);
    const content = authorityContent({ pathLength: 0, ...request }, privateKey.publicKey, this.#provider);
    const certificate = this.#sign({ ...content, ...this.#validity(request.at, request.days ?? 3650) });
    return new CertificateAuthority(this.#provider, [certificate, ...this.#sent], privateKey);
  }

  #sign(content: Unissued): Certificate {
    const own = this.certificate;
    const authorityKeyIdentifier =
      own.extensions.subjectKeyIdentifier ?? keyIdentifierOf(this.privateKey.publicKey, this.#provider);
    const whole = { ...content, issuer: own.subject, authorityKeyIdentifier };
    return buildCertificate(whole, this.#provider, this.privateKey);
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

/** What the issuer adds is missing. */
type Unissued = Omit<CertificateContent, 'issuer' | 'authorityKeyIdentifier'>;

const DEFAULT_KEY: KeySpec = { type: 'ec', curve: 'secp256r1' };

/** Clocks of peers may be slow by this much, in milliseconds. */
const CLOCK_SKEW = 3_600_000;
const DAY = 86_400_000;

/** RFC 5280's upper bound on a common name, in characters (§A.1, ub-common-name). */
const COMMON_NAME_LIMIT = 64;

function authorityContent(
  request: CertificateAuthorityRequest,
  publicKey: PublicKey,
  provider: CryptoProvider,
): Unissued {
  return {
    ...validity(request.at, request.days ?? 3650),
    serialNumber: randomSerialNumber(provider),
    subject: subjectFor(request.commonName, true),
    publicKey,
    ca: true,
    pathLength: request.pathLength,
    keyUsage: ['keyCertSign', 'cRLSign'],
  };
}

function validity(at: Date = new Date(), days: number): { notBefore: Date; notAfter: Date } {
  if (!(days > 0)) throw new RangeError('a certificate needs a positive number of days');
  return { notBefore: new Date(at.getTime() - CLOCK_SKEW), notAfter: new Date(at.getTime() + days * DAY) };
}

function subjectFor(commonName: string, isExplicit: boolean): DistinguishedName {
  if (commonName.length >= 1 && commonName.length <= COMMON_NAME_LIMIT)
    return DistinguishedName.ofCommonName(commonName);
  if (isExplicit) throw new RangeError(`a common name has 1 to ${COMMON_NAME_LIMIT} characters`);
  return DistinguishedName.empty;
}

function toGeneralName(name: string): GeneralName {
  const bytes = parseIpAddress(name);
  if (bytes !== undefined) return { kind: 'ip', bytes };
  if (/^[!-?A-~]+@[!-?A-~]+$/.test(name)) return { kind: 'email', value: name };
  const wildcard = name.startsWith('*.') ? '*.' : '';
  const domain = toAsciiDomain(name.slice(wildcard.length));
  if (domain === undefined) throw new RangeError(`"${name}" is no domain, address or mail address`);
  return { kind: 'dns', value: `${wildcard}${domain}` };
}
