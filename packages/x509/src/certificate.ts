import { bytesEqual, DecodeError, type DerReader, decodeDer, Tag } from '@testudo/codec';
import { CryptoError, type CryptoProvider, type PublicKey } from '@testudo/crypto';
import { type AlgorithmIdentifier, readAlgorithm, readSignature } from './algorithm.ts';
import { DistinguishedName } from './distinguished-name.ts';
import { CertificateError } from './errors.ts';
import { Extensions, readExtension } from './extensions.ts';

/**
 * An X.509 certificate (RFC 5280 §4.1). Byte arrays are views on the input, which must not change.
 * What is inside names, extensions and the key is parsed when first asked for.
 */
export class Certificate {
  /** The whole certificate, DER. */
  readonly der: Uint8Array;
  /** What is signed: the TBSCertificate, DER. */
  readonly tbs: Uint8Array;
  /** 1, 2 or 3. */
  readonly version: 1 | 2 | 3;
  /** Two's complement, big-endian; RFC 5280 asks for a positive number of at most 20 bytes. */
  readonly serialNumber: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly issuer: DistinguishedName;
  readonly notBefore: Date;
  /** The last second in which it is valid. */
  readonly notAfter: Date;
  readonly subject: DistinguishedName;
  /** SubjectPublicKeyInfo, DER (RFC 5280 §4.1.2.7). */
  readonly spki: Uint8Array;
  readonly extensions: Extensions;
  readonly signature: Uint8Array;
  #publicKey: { readonly provider: CryptoProvider; readonly key: PublicKey } | undefined;

  private constructor(der: Uint8Array, fields: Outer & Tbs) {
    this.der = der;
    this.tbs = fields.tbs;
    this.version = fields.version;
    this.serialNumber = fields.serialNumber;
    this.signatureAlgorithm = fields.signatureAlgorithm;
    this.issuer = fields.issuer;
    this.notBefore = fields.notBefore;
    this.notAfter = fields.notAfter;
    this.subject = fields.subject;
    this.spki = fields.spki;
    this.extensions = fields.extensions;
    this.signature = fields.signature;
  }

  /** Parses one certificate; bytes after it are refused. Throws {@link CertificateError} `malformed`. */
  static parse(der: Uint8Array): Certificate {
    try {
      const outer = decodeDer(der, readOuter);
      const tbs = decodeDer(outer.tbs, readTbs);
      // RFC 5280 §4.1.1.2: what the signature covers must say the same as what stands next to it.
      if (!bytesEqual(outer.signatureAlgorithm.der, tbs.innerAlgorithm))
        throw new CertificateError('malformed', 'the certificate names two different signature algorithms');
      return new Certificate(der, { ...outer, ...tbs });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new CertificateError('malformed', `not a certificate: ${error.message}`, undefined, error);
    }
  }

  /**
   * The subject's key. Throws {@link CertificateError} `malformed`, or `unsupported-algorithm` when the provider
   * lacks the algorithm. Remembered for the provider that was asked last.
   */
  publicKey(provider: CryptoProvider): PublicKey {
    if (this.#publicKey?.provider === provider) return this.#publicKey.key;
    try {
      const key = provider.importPublicKey(this.spki);
      this.#publicKey = { provider, key };
      return key;
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      const code = error.code === 'unsupported' ? 'unsupported-algorithm' : 'malformed';
      throw new CertificateError(code, `the public key cannot be used: ${error.message}`, this, error);
    }
  }

  /** Subject and issuer are the same name (RFC 5280 §3.2); nothing is said about the signature. */
  get isSelfIssued(): boolean {
    return this.subject.equals(this.issuer);
  }

  /** Same subject and same key: another certificate for the same entity. */
  hasSameIdentity(other: Certificate): boolean {
    return bytesEqual(this.spki, other.spki) && this.subject.equals(other.subject);
  }

  /** The very same certificate. */
  equals(other: Certificate): boolean {
    return bytesEqual(this.der, other.der);
  }
}

/** The certificate that is at fault, where a {@link CertificateError} names one; else undefined. */
export function certificateAtFault(error: unknown): Certificate | undefined {
  const certificate = error instanceof CertificateError ? error.certificate : undefined;
  return certificate instanceof Certificate ? certificate : undefined;
}

interface Outer {
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

interface Tbs {
  readonly version: 1 | 2 | 3;
  readonly serialNumber: Uint8Array;
  readonly innerAlgorithm: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subject: DistinguishedName;
  readonly spki: Uint8Array;
  readonly extensions: Extensions;
}

function readOuter(reader: DerReader): Outer {
  return reader.sequence((certificate) => ({
    tbs: certificate.whole(Tag.sequence),
    signatureAlgorithm: readAlgorithm(certificate),
    signature: readSignature(certificate),
  }));
}

/** TBSCertificate (RFC 5280 §4.1.2): its fields in order. */
function readTbs(reader: DerReader): Tbs {
  return reader.sequence((tbs) => {
    const version = readVersion(tbs);
    const serialNumber = tbs.integerBytes();
    const innerAlgorithm = tbs.whole(Tag.sequence);
    const issuer = new DistinguishedName(tbs.whole(Tag.sequence));
    const [notBefore, notAfter] = tbs.sequence((validity) => [validity.time(), validity.time()] as const);
    const subject = new DistinguishedName(tbs.whole(Tag.sequence));
    const spki = tbs.whole(Tag.sequence);
    skipUniqueIdentifiers(tbs, version);
    const extensions = readExtensions(tbs, version);
    return { version, serialNumber, innerAlgorithm, issuer, notBefore, notAfter, subject, spki, extensions };
  });
}

/** Version 1 is left out, as DER leaves out what is the default (RFC 5280 §4.1.2.1). */
function readVersion(tbs: DerReader): 1 | 2 | 3 {
  return (
    tbs.explicit(0, (inner) => {
      const version = inner.smallInteger(2);
      // Version 1 is the DEFAULT, which DER leaves out.
      if (version === 0) throw inner.error('bad-value', 'version 1 stated explicitly');
      return (version + 1) as 2 | 3;
    }) ?? 1
  );
}

/** issuerUniqueID [1] and subjectUniqueID [2]: nobody uses them (RFC 5280 §4.1.2.8). */
function skipUniqueIdentifiers(tbs: DerReader, version: number): void {
  for (const tag of [0x81, 0x82]) {
    if (tbs.peek() !== tag) continue;
    if (version === 1) throw tbs.error('bad-value', 'a unique identifier in version 1');
    tbs.bitString(tag);
  }
}

/** Only version 3 has them (RFC 5280 §4.1.2.9). */
function readExtensions(tbs: DerReader, version: number): Extensions {
  const offset = tbs.offset;
  const list = tbs.explicit(3, (inner) => inner.sequenceOf(readExtension));
  if (list !== undefined && version !== 3)
    throw tbs.error('bad-value', `extensions in version ${version}`, offset);
  if (list?.length === 0) throw tbs.error('bad-length', 'an empty list of extensions', offset);
  return new Extensions(list ?? []);
}
