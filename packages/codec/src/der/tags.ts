/** Identifier octets (X.690 §8.1.2) of the universal types, with the constructed bit where DER sets it. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

/** Tells a constructed encoding from a primitive one. */
export const CONSTRUCTED = 0x20;

/** `[number]` around or in place of a primitive type. `number` is 0 to 30. */
export function contextTag(number: number): number {
  return 0x80 | number;
}

/** `[number]` around a whole value (EXPLICIT), or in place of a SEQUENCE's or SET's tag (IMPLICIT). */
export function contextConstructedTag(number: number): number {
  return 0x80 | CONSTRUCTED | number;
}

/** A tag in the words of a standard: `SEQUENCE`, `[0]`, … */
export function tagName(tag: number): string {
  const known = NAMES[tag];
  if (known !== undefined) return known;
  if ((tag & 0xc0) === 0x80) return `[${tag & 0x1f}]${tag & CONSTRUCTED ? '' : ' primitive'}`;
  return `tag 0x${tag.toString(16).padStart(2, '0')}`;
}

const NAMES: Readonly<Record<number, string>> = {
  [Tag.boolean]: 'BOOLEAN',
  [Tag.integer]: 'INTEGER',
  [Tag.bitString]: 'BIT STRING',
  [Tag.octetString]: 'OCTET STRING',
  [Tag.null]: 'NULL',
  [Tag.oid]: 'OBJECT IDENTIFIER',
  [Tag.enumerated]: 'ENUMERATED',
  [Tag.utf8String]: 'UTF8String',
  [Tag.sequence]: 'SEQUENCE',
  [Tag.set]: 'SET',
  [Tag.numericString]: 'NumericString',
  [Tag.printableString]: 'PrintableString',
  [Tag.teletexString]: 'TeletexString',
  [Tag.ia5String]: 'IA5String',
  [Tag.utcTime]: 'UTCTime',
  [Tag.generalizedTime]: 'GeneralizedTime',
  [Tag.visibleString]: 'VisibleString',
  [Tag.universalString]: 'UniversalString',
  [Tag.bmpString]: 'BMPString',
};
