import {
  bytesEqual,
  DecodeError,
  type DerElement,
  type DerReader,
  decodeDer,
  decodeDerString,
  der,
  type Oid,
  Tag,
  toHex,
  utf8,
} from '@testudo/codec';
import { CertificateError } from './errors.ts';
import { ATTRIBUTE_NAMES, COMMON_NAME } from './oids.ts';

export interface NameAttribute {
  readonly type: Oid;
  /** Text, or `#` and hexadecimal DER when the value is not a string (RFC 4514 §2.4). */
  readonly value: string;
  /** False for the hexadecimal form. */
  readonly isText: boolean;
}

/** Attributes of one level; nearly always one. */
export type RelativeName = readonly NameAttribute[];

/** An X.501 name (RFC 5280 §4.1.2.4), parsed when first looked into. */
export class DistinguishedName {
  /** The whole Name, DER; a view. */
  readonly der: Uint8Array;
  #relativeNames: readonly RelativeName[] | undefined;
  #keys: readonly string[] | undefined;
  #key: string | undefined;

  constructor(bytes: Uint8Array) {
    this.der = bytes;
  }

  /** The name without attributes. */
  static readonly empty: DistinguishedName = new DistinguishedName(Uint8Array.of(Tag.sequence, 0));

  /** A name of one common name. */
  static ofCommonName(commonName: string): DistinguishedName {
    const attribute = der.sequence(der.oid(COMMON_NAME), der.utf8String(commonName));
    return new DistinguishedName(der.sequence(der.setOf(attribute)));
  }

  /** True for a name without any attribute. */
  get isEmpty(): boolean {
    return this.der.length === 2;
  }

  /** Levels from the root of the directory down. Throws {@link CertificateError} `malformed`. */
  get relativeNames(): readonly RelativeName[] {
    this.#relativeNames ??= readName(this.der);
    return this.#relativeNames;
  }

  /** The last common name, for people; names are never verified against it. */
  get commonName(): string | undefined {
    return this.relativeNames.flat().findLast((attribute) => attribute.type === COMMON_NAME)?.value;
  }

  /**
   * One comparable text per level, in the sense of RFC 5280 §7.1: letters' case, runs of spaces and the string
   * type make no difference. Throws {@link CertificateError} `malformed`.
   */
  get keys(): readonly string[] {
    this.#keys ??= this.relativeNames.map((attributes) =>
      attributes
        .map(({ type, value, isText }) => JSON.stringify([type, isText, canonical(value)]))
        .sort()
        .join('+'),
    );
    return this.#keys;
  }

  /** Text that is equal for equal names. */
  get key(): string {
    this.#key ??= this.keys.join(',');
    return this.#key;
  }

  equals(other: DistinguishedName): boolean {
    return bytesEqual(this.der, other.der) || this.key === other.key;
  }

  /** True when `this` stands in the subtree that `base` names. */
  isWithin(base: DistinguishedName): boolean {
    return base.keys.length <= this.keys.length && base.keys.every((key, i) => key === this.keys[i]);
  }

  /** As {@link toString}, cut to 100 characters: for messages. */
  get shown(): string {
    const text = this.toString();
    return text.length <= 100 ? text : `${text.slice(0, 99)}\u2026`;
  }

  /** RFC 4514 text, most specific first: `CN=example.com,O=Example`. */
  toString(): string {
    return this.relativeNames
      .toReversed()
      .map((attributes) => attributes.map(attributeText).join('+'))
      .join(',');
  }
}

/** Attributes in one name; real ones have about ten. */
const MAX_RELATIVE_NAMES = 64;

function readName(bytes: Uint8Array): RelativeName[] {
  try {
    return decodeDer(bytes, (reader) =>
      reader.sequenceOf((name) => readRelativeName(name), Tag.sequence, MAX_RELATIVE_NAMES),
    );
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CertificateError(
      'malformed',
      `a distinguished name is malformed: ${error.message}`,
      undefined,
      error,
    );
  }
}

// Not checked for SET OF order: certificates with several attributes in one level are rare and often unsorted.
function readRelativeName(reader: DerReader): RelativeName {
  const attributes = reader.sequenceOf(
    (item) =>
      item.sequence((attribute) => {
        const type = attribute.oid();
        return { type, ...readValue(attribute.element()) };
      }),
    Tag.set,
    MAX_RELATIVE_NAMES,
  );
  if (attributes.length === 0)
    throw reader.error('bad-length', 'a relative distinguished name without attributes');
  return attributes;
}

function readValue({ tag, content, whole }: DerElement): { value: string; isText: boolean } {
  try {
    return { value: decodeDerString(tag, content), isText: true };
  } catch {
    return { value: `#${toHex(whole)}`, isText: false };
  }
}

function canonical(value: string): string {
  return value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function attributeText({ type, value, isText }: NameAttribute): string {
  const name = ATTRIBUTE_NAMES[type] ?? type;
  if (!isText) return `${name}=${value}`;
  // RFC 4514 §2.4, and what is invisible or moves the text around, so that a name cannot draw on a terminal.
  const escaped = value
    .replace(/[",+;<>\\]|^[ #]| $/g, '\\$&')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => toHex(utf8(character)).replace(/../g, '\\$&'));
  return `${name}=${escaped}`;
}
