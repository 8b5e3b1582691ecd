import {
  bytesEqual,
  contextConstructedTag,
  DecodeError,
  type DerReader,
  decodeDer,
  Tag,
} from '@testudo/codec';
import { type AlgorithmIdentifier, readAlgorithm, readSignature } from '../algorithm.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import { CertificateError } from '../errors.ts';
import { type Extension, Extensions, readExtension } from '../extensions.ts';
import { ExtensionOid } from '../oids.ts';
import { parseExtension } from '../parse-der.ts';
import type { SignedData } from '../signed-data.ts';
import { RevokedEntries, type RevokedEntry } from './crl-entries.ts';
import { type IssuingDistributionPoint, readIssuingDistributionPoint } from './distribution-point.ts';
import { RevocationOid } from './oids.ts';

/** Longest CRL that is parsed unless told otherwise, in bytes: over a million entries. */
export const MAXIMUM_CRL_LENGTH: number = 64 * 1024 * 1024;

/** Extensions that {@link CertificateRevocationList} takes into account. */
const PROCESSED: ReadonlySet<string> = new Set([
  RevocationOid.cRLNumber,
  RevocationOid.deltaCRLIndicator,
  RevocationOid.issuingDistributionPoint,
  RevocationOid.freshestCRL,
  ExtensionOid.authorityKeyIdentifier,
]);

/**
 * A certificate revocation list (RFC 5280 §5.1). Byte arrays are views on the input, which must not change. Parsing
 * does not touch the entries: they are looked at when the first one is searched. Nothing is verified here.
 */
export class CertificateRevocationList implements SignedData {
  /** The whole list, DER. */
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly version: 1 | 2;
  readonly issuer: DistinguishedName;
  readonly thisUpdate: Date;
  /** Undefined only in lists that break RFC 5280 §5.1.2.5. */
  readonly nextUpdate: Date | undefined;
  readonly extensions: Extensions;
  /** Undefined only in lists that break RFC 5280 §5.2.3. */
  readonly number: bigint | undefined;
  /** The list that this one is a delta to (RFC 5280 §5.2.4); undefined: it is complete. */
  readonly baseNumber: bigint | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  readonly entries: RevokedEntries;

  private constructor(der: Uint8Array, outer: SignedData, tbs: Tbs) {
    this.der = der;
    this.tbs = outer.tbs;
    this.signatureAlgorithm = outer.signatureAlgorithm;
    this.signature = outer.signature;
    this.version = tbs.version;
    this.issuer = tbs.issuer;
    this.thisUpdate = tbs.thisUpdate;
    this.nextUpdate = tbs.nextUpdate;
    this.extensions = tbs.extensions;
    const get = (name: keyof typeof RevocationOid): Extension | undefined =>
      tbs.extensions.get(RevocationOid[name]);
    this.number = parseExtension(get('cRLNumber'), 'cRLNumber', readNumber);
    this.baseNumber = parseExtension(get('deltaCRLIndicator'), 'deltaCRLIndicator', readNumber);
    this.issuingDistributionPoint = parseExtension(
      get('issuingDistributionPoint'),
      'issuingDistributionPoint',
      readIssuingDistributionPoint,
    );
    const isIndirect = this.issuingDistributionPoint?.indirectCrl === true;
    this.entries = new RevokedEntries(tbs.entries, tbs.issuer, isIndirect);
  }

  /**
   * Parses one list; bytes after it are refused.
   * Throws {@link CertificateError} `malformed`, or `budget-exceeded` over `maximumLength` bytes (default 64 MiB).
   */
  static parse(der: Uint8Array, maximumLength: number = MAXIMUM_CRL_LENGTH): CertificateRevocationList {
    if (der.length > maximumLength)
      throw new CertificateError('budget-exceeded', `a CRL of ${der.length} bytes; raise the limit`);
    try {
      const outer = decodeDer(der, readOuter);
      const tbs = decodeDer(outer.tbs, readTbs);
      if (!bytesEqual(outer.signatureAlgorithm.der, tbs.innerAlgorithm))
        throw new CertificateError('malformed', 'the CRL names two different signature algorithms');
      return new CertificateRevocationList(der, outer, tbs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new CertificateError('malformed', `not a CRL: ${error.message}`, undefined, error);
    }
  }

  /** The entry for a certificate, by its serial number and issuer. Throws {@link CertificateError}. */
  find(serialNumber: Uint8Array, issuer: DistinguishedName = this.issuer): RevokedEntry | undefined {
    return this.entries.find(serialNumber, issuer);
  }

  /** Critical extensions that are not taken into account: such a list says nothing (RFC 5280 §5.2). */
  get unknownCritical(): readonly string[] {
    return [...this.extensions]
      .filter(({ critical, oid }) => critical && !PROCESSED.has(oid))
      .map(({ oid }) => oid);
  }
}

interface Tbs {
  readonly version: 1 | 2;
  readonly innerAlgorithm: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly entries: Uint8Array;
  readonly extensions: Extensions;
}

function readOuter(reader: DerReader): SignedData {
  return reader.sequence((list) => ({
    tbs: list.whole(Tag.sequence),
    signatureAlgorithm: readAlgorithm(list),
    signature: readSignature(list),
  }));
}

/** TBSCertList (RFC 5280 §5.1.2): its fields in order. */
function readTbs(reader: DerReader): Tbs {
  return reader.sequence((tbs) => {
    const version = readVersion(tbs);
    const innerAlgorithm = tbs.whole(Tag.sequence);
    const issuer = new DistinguishedName(tbs.whole(Tag.sequence));
    if (issuer.isEmpty) throw tbs.error('bad-value', 'an issuer without a name');
    const thisUpdate = tbs.time();
    const isTime = tbs.peek() === Tag.utcTime || tbs.peek() === Tag.generalizedTime;
    const nextUpdate = isTime ? tbs.time() : undefined;
    const entries = tbs.peek() === Tag.sequence ? tbs.content(Tag.sequence) : new Uint8Array();
    const extensions = readExtensions(tbs, version);
    return { version, innerAlgorithm, issuer, thisUpdate, nextUpdate, entries, extensions };
  });
}

function readVersion(tbs: DerReader): 1 | 2 {
  if (tbs.peek() !== Tag.integer) return 1;
  const offset = tbs.offset;
  // OPTIONAL, and version 1 is said by leaving it out (RFC 5280 §5.1.2.1).
  if (tbs.smallInteger(255) !== 1) throw tbs.error('bad-value', 'neither version 1 nor 2', offset);
  return 2;
}

function readExtensions(tbs: DerReader, version: 1 | 2): Extensions {
  if (tbs.peek() !== contextConstructedTag(0)) return new Extensions([]);
  const offset = tbs.offset;
  const list = tbs.explicit(0, (inner) => inner.sequenceOf(readExtension, Tag.sequence, 64))!;
  if (version === 1) throw tbs.error('bad-value', 'extensions in version 1', offset);
  if (list.length === 0) throw tbs.error('bad-length', 'an empty list of extensions', offset);
  return new Extensions(list);
}

/** RFC 5280 §5.2.3: at most 20 bytes, not negative. */
function readNumber(reader: DerReader): bigint {
  const offset = reader.offset;
  const number = reader.integer(Tag.integer, 21);
  if (number < 0n) throw reader.error('bad-value', 'a negative CRL number', offset);
  return number;
}
