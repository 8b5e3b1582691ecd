import {
  contextConstructedTag,
  contextTag,
  DecodeError,
  type DerReader,
  decodeDer,
  type Oid,
  Tag,
} from '@testudo/codec';
import { CertificateError } from './errors.ts';
import { type GeneralName, readGeneralName } from './general-name.ts';
import { ExtensionOid } from './oids.ts';
import {
  type CertificatePolicies,
  type PolicyConstraints,
  type PolicyMapping,
  readCertificatePolicies,
  readInhibitAnyPolicy,
  readPolicyConstraints,
  readPolicyMappings,
} from './policy-extensions.ts';

export interface Extension {
  readonly oid: Oid;
  readonly critical: boolean;
  /** The DER inside `extnValue`; a view. */
  readonly value: Uint8Array;
}

/** One of a certificate, a CRL, an OCSP message or a request (RFC 5280 §4.1). Throws DecodeError. */
export function readExtension(reader: DerReader): Extension {
  return reader.sequence((extension) => {
    const oid = extension.oid();
    // FALSE is the DEFAULT, which DER leaves out; certificates that write it are around, so it is let pass.
    const critical = extension.peek() === Tag.boolean && extension.boolean();
    return { oid, critical, value: extension.octetString() };
  });
}

export interface BasicConstraints {
  readonly ca: boolean;
  /** Intermediates that may follow; self-issued ones are not counted. Undefined: no limit. */
  readonly pathLength: number | undefined;
}

/** Bits of RFC 5280 §4.2.1.3, in order. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly issuer: readonly GeneralName[] | undefined;
  readonly serialNumber: Uint8Array | undefined;
}

/** One way to learn more: `method` says what (see `AccessMethodOid`), `location` where. */
export interface AccessDescription {
  readonly method: Oid;
  readonly location: GeneralName;
}

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** Extensions whose meaning path validation takes into account: critical ones among these do no harm. */
const PROCESSED: ReadonlySet<Oid> = new Set([
  ExtensionOid.subjectKeyIdentifier,
  ExtensionOid.authorityKeyIdentifier,
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.basicConstraints,
  ExtensionOid.nameConstraints,
  ExtensionOid.extendedKeyUsage,
  ExtensionOid.certificatePolicies,
  ExtensionOid.policyMappings,
  ExtensionOid.policyConstraints,
  ExtensionOid.inhibitAnyPolicy,
  ExtensionOid.ocspNoCheck,
]);

/**
 * A certificate's extensions. Each typed getter parses on first use and remembers; it gives undefined when the
 * extension is absent and throws {@link CertificateError} `malformed` when it cannot be read.
 */
export class Extensions implements Iterable<Extension> {
  readonly #byOid: ReadonlyMap<Oid, Extension>;
  readonly #parsed: Map<Oid, unknown> = new Map();

  constructor(extensions: readonly Extension[]) {
    const byOid = new Map<Oid, Extension>();
    for (const extension of extensions) {
      // At most one of each kind (RFC 5280 §4.2): two readers might believe different ones.
      if (byOid.has(extension.oid))
        throw new CertificateError('malformed', `extension ${extension.oid} appears twice`);
      byOid.set(extension.oid, extension);
    }
    this.#byOid = byOid;
  }

  get size(): number {
    return this.#byOid.size;
  }

  [Symbol.iterator](): IterableIterator<Extension> {
    return this.#byOid.values();
  }

  get(oid: Oid): Extension | undefined {
    return this.#byOid.get(oid);
  }

  /**
   * Critical extensions that path validation here does not process, or not wholly: certificatePolicies with a qualifier
   * that is not known is among them (RFC 5280 §4.2.1.4). Throws {@link CertificateError} `malformed`.
   */
  get unknownCritical(): readonly Oid[] {
    return [...this].filter((extension) => this.#isUnknownCritical(extension)).map(({ oid }) => oid);
  }

  /** The first of {@link unknownCritical}. */
  get firstUnknownCritical(): Oid | undefined {
    for (const extension of this.#byOid.values())
      if (this.#isUnknownCritical(extension)) return extension.oid;
    return undefined;
  }

  #isUnknownCritical({ critical, oid }: Extension): boolean {
    if (!critical) return false;
    if (oid === ExtensionOid.certificatePolicies) return this.#policies?.unknownQualifier !== undefined;
    return !PROCESSED.has(oid);
  }

  /** RFC 5280 §4.2.1.9. */
  get basicConstraints(): BasicConstraints | undefined {
    return this.#read(ExtensionOid.basicConstraints, (reader) =>
      reader.sequence((inner) => {
        const ca = inner.peek() === Tag.boolean && inner.boolean();
        const pathLength = inner.remaining > 0 ? inner.smallInteger() : undefined;
        return { ca, pathLength };
      }),
    );
  }

  /** RFC 5280 §4.2.1.3. */
  get keyUsage(): ReadonlySet<KeyUsage> | undefined {
    return this.#read(ExtensionOid.keyUsage, (reader) => {
      const { bytes } = reader.bitString();
      const set = new Set(KEY_USAGES.filter((_, bit) => ((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80));
      // At least one bit must be set (RFC 5280 §4.2.1.3).
      if (set.size === 0) throw reader.error('bad-value', 'no usage at all');
      return set;
    });
  }

  /** Purposes, as object identifiers (RFC 5280 §4.2.1.12). */
  get extendedKeyUsage(): readonly Oid[] | undefined {
    return this.#read(ExtensionOid.extendedKeyUsage, (reader) =>
      notEmpty(
        reader,
        reader.sequenceOf((purpose) => purpose.oid()),
      ),
    );
  }

  /** RFC 5280 §4.2.1.6. */
  get subjectAltName(): readonly GeneralName[] | undefined {
    return this.#read(ExtensionOid.subjectAltName, (reader) =>
      notEmpty(
        reader,
        reader.sequenceOf((name) => readGeneralName(name)),
      ),
    );
  }

  /** RFC 5280 §4.2.1.10. */
  get nameConstraints(): NameConstraints | undefined {
    return this.#read(ExtensionOid.nameConstraints, (reader) =>
      reader.sequence((inner) => {
        const permitted = readSubtrees(inner, 0);
        const excluded = readSubtrees(inner, 1);
        // RFC 5280 §4.2.1.10: never an empty sequence.
        if (permitted.length + excluded.length === 0) throw inner.error('bad-length', 'no constraint at all');
        return { permitted, excluded };
      }),
    );
  }

  /** Policies, as object identifiers (RFC 5280 §4.2.1.4). */
  get certificatePolicies(): readonly Oid[] | undefined {
    return this.#policies?.policies;
  }

  get #policies(): CertificatePolicies | undefined {
    return this.#read(ExtensionOid.certificatePolicies, readCertificatePolicies);
  }

  /** RFC 5280 §4.2.1.5. */
  get policyMappings(): readonly PolicyMapping[] | undefined {
    return this.#read(ExtensionOid.policyMappings, readPolicyMappings);
  }

  /** RFC 5280 §4.2.1.11. */
  get policyConstraints(): PolicyConstraints | undefined {
    return this.#read(ExtensionOid.policyConstraints, readPolicyConstraints);
  }

  /** After how many more certificates anyPolicy says nothing (RFC 5280 §4.2.1.14). */
  get inhibitAnyPolicy(): number | undefined {
    return this.#read(ExtensionOid.inhibitAnyPolicy, readInhibitAnyPolicy);
  }

  /** Where more about the issuer is found (RFC 5280 §4.2.2.1). */
  get authorityInformationAccess(): readonly AccessDescription[] | undefined {
    return this.#read(ExtensionOid.authorityInformationAccess, (reader) =>
      notEmpty(
        reader,
        reader.sequenceOf((item) =>
          item.sequence((access) => ({ method: access.oid(), location: readGeneralName(access) })),
        ),
      ),
    );
  }

  /** Whether it is a responder's whose own revocation need not be looked up (RFC 6960 §4.2.2.2.1). */
  get hasOcspNoCheck(): boolean {
    return this.#read(ExtensionOid.ocspNoCheck, (reader) => reader.null()) !== undefined;
  }

  /** RFC 5280 §4.2.1.2. */
  get subjectKeyIdentifier(): Uint8Array | undefined {
    return this.#read(ExtensionOid.subjectKeyIdentifier, (reader) => reader.octetString());
  }

  /** RFC 5280 §4.2.1.1. */
  get authorityKeyIdentifier(): AuthorityKeyIdentifier | undefined {
    return this.#read(ExtensionOid.authorityKeyIdentifier, (reader) =>
      reader.sequence((inner) => ({
        keyIdentifier: inner.peek() === contextTag(0) ? inner.content(contextTag(0)) : undefined,
        issuer:
          inner.peek() === contextConstructedTag(1)
            ? inner.sequenceOf((name) => readGeneralName(name), contextConstructedTag(1))
            : undefined,
        serialNumber: inner.peek() === contextTag(2) ? inner.integerBytes(contextTag(2)) : undefined,
      })),
    );
  }

  #read<T>(oid: Oid, read: (reader: DerReader) => T): T | undefined {
    const known = this.#parsed.get(oid);
    if (known !== undefined) return known as T;
    const extension = this.#byOid.get(oid);
    if (extension === undefined) return undefined;
    try {
      const value = decodeDer(extension.value, read);
      this.#parsed.set(oid, value);
      return value;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new CertificateError(
        'malformed',
        `the extension ${nameOf(oid)} is malformed: ${error.message}`,
        undefined,
        error,
      );
    }
  }
}

function readSubtrees(reader: DerReader, number: 0 | 1): readonly GeneralName[] {
  const tag = contextConstructedTag(number);
  if (reader.peek() !== tag) return [];
  const subtrees = reader.sequenceOf(
    // minimum and maximum are not used (RFC 5280 §4.2.1.10): bytes after the base are refused.
    (item) => item.sequence((subtree) => readGeneralName(subtree, [8, 32])),
    tag,
  );
  return notEmpty(reader, subtrees);
}

function notEmpty<T>(reader: DerReader, items: readonly T[]): readonly T[] {
  if (items.length === 0) throw reader.error('bad-length', 'an empty list');
  return items;
}

function nameOf(oid: Oid): string {
  return Object.entries(ExtensionOid).find(([, value]) => value === oid)?.[0] ?? oid;
}
