import { bytesEqual, type Oid } from '@testudo/codec';
import type { CryptoProvider, PublicKey } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Extensions,
  KeyUsage,
  NameConstraints,
} from '../extensions.ts';
import { ExtensionOid } from '../oids.ts';
import { parseExtension } from '../parse-der.ts';
import { distributionPointsOf } from '../revocation/distribution-point.ts';
import { isSignatureOf, signatureOf } from './signature.ts';

/** What OpenSSL notes of a certificate before it judges it. */
export interface Traits {
  /** An extension cannot be read: it issues nothing, and is issued by nobody. */
  readonly isInvalid: boolean;
  /** Its own issuer by name. */
  readonly isSelfIssued: boolean;
  /** And by key identifier and kind of key: taken for self-signed. */
  readonly isSelfSigned: boolean;
  readonly isProxy: boolean;
  readonly hasUnknownCritical: boolean;
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  readonly extendedKeyUsage: readonly Oid[] | undefined;
  /** First byte of nsCertType, of Netscape. */
  readonly netscapeType: number | undefined;
  readonly nameConstraints: NameConstraints | undefined;
}

/** Remembered for each certificate. */
export function traitsOf(certificate: Certificate, provider: CryptoProvider): Traits {
  let known = remembered.get(certificate);
  if (known === undefined) {
    known = readTraits(certificate, provider);
    remembered.set(certificate, known);
  }
  return known;
}

const remembered: WeakMap<Certificate, Traits> = new WeakMap();

/** Its key; undefined where the provider cannot use it. */
export function keyOf(certificate: Certificate, provider: CryptoProvider): PublicKey | undefined {
  try {
    return certificate.publicKey(provider);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** Whether `issuer` may have issued `subject`, by all that shows without looking at the signature. */
export function mayHaveIssued(issuer: Certificate, subject: Certificate, provider: CryptoProvider): boolean {
  if (issuer.subject.key !== subject.issuer.key) return false;
  if (traitsOf(issuer, provider).isInvalid || traitsOf(subject, provider).isInvalid) return false;
  return fits(issuer, subject, provider);
}

/** Names apart. */
function fits(issuer: Certificate, subject: Certificate, provider: CryptoProvider): boolean {
  const key = keyOf(issuer, provider);
  const algorithm = signatureOf(subject);
  if (key === undefined || algorithm === undefined || !isSignatureOf(key.kind, algorithm)) return false;
  const wanted = subject.extensions.authorityKeyIdentifier;
  return wanted === undefined || isNamedBy(wanted, issuer);
}

function isNamedBy(wanted: AuthorityKeyIdentifier, issuer: Certificate): boolean {
  const { keyIdentifier, serialNumber, issuer: names } = wanted;
  const offered = issuer.extensions.subjectKeyIdentifier;
  if (keyIdentifier && offered && !bytesEqual(keyIdentifier, offered)) return false;
  if (serialNumber && !bytesEqual(serialNumber, issuer.serialNumber)) return false;
  const name = names?.find((one) => one.kind === 'directory');
  return name?.kind !== 'directory' || name.name.equals(issuer.issuer);
}

function readTraits(certificate: Certificate, provider: CryptoProvider): Traits {
  const { extensions } = certificate;
  const isSelfIssued = attempt(() => certificate.isSelfIssued) === true;
  const traits = {
    isSelfIssued,
    isProxy: extensions.get(PROXY_CERT_INFO) !== undefined,
    hasUnknownCritical: [...extensions].some(({ critical, oid }) => critical && !PROCESSED.has(oid)),
    basicConstraints: attempt(() => extensions.basicConstraints),
    keyUsage: attempt(() => extensions.keyUsage),
    extendedKeyUsage: attempt(() => extensions.extendedKeyUsage),
    netscapeType: extensions.get(NETSCAPE_TYPE)?.value[3],
    nameConstraints: attempt(() => extensions.nameConstraints),
  };
  const isInvalid = !areReadable(extensions);
  const isSelfSigned = isSelfIssued && !isInvalid && fits(certificate, certificate, provider);
  return { ...traits, isInvalid, isSelfSigned };
}

function areReadable(extensions: Extensions): boolean {
  try {
    void extensions.basicConstraints;
    void extensions.keyUsage;
    void extensions.extendedKeyUsage;
    void extensions.subjectAltName;
    void extensions.nameConstraints;
    void extensions.authorityKeyIdentifier;
    void extensions.subjectKeyIdentifier;
    distributionPointsOf(extensions);
    parseExtension(extensions.get(NETSCAPE_TYPE), 'nsCertType', (reader) => reader.bitString());
    return true;
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

const NETSCAPE_TYPE: Oid = '2.16.840.1.113730.1.1';
const PROXY_CERT_INFO: Oid = '1.3.6.1.5.5.7.1.14';

/** Critical ones among these do no harm. */
const PROCESSED: ReadonlySet<Oid> = new Set([
  NETSCAPE_TYPE,
  PROXY_CERT_INFO,
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.basicConstraints,
  ExtensionOid.certificatePolicies,
  ExtensionOid.crlDistributionPoints,
  ExtensionOid.extendedKeyUsage,
  ExtensionOid.policyConstraints,
  ExtensionOid.nameConstraints,
  ExtensionOid.policyMappings,
  ExtensionOid.inhibitAnyPolicy,
  ExtensionOid.ocspNoCheck,
]);
