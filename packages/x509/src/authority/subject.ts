import { der, type Oid } from '@testudo/codec';
import { DistinguishedName } from '../distinguished-name.ts';

/** The usual attributes of a subject, from the root of the directory down. */
export interface SubjectAttributes {
  /** Two letters, as `DE`. */
  readonly country?: string | undefined;
  readonly stateOrProvince?: string | undefined;
  readonly locality?: string | undefined;
  readonly organization?: string | undefined;
  readonly organizationalUnit?: string | undefined;
  readonly commonName?: string | undefined;
}

/** Attribute types and their upper bounds in characters (RFC 5280 §A.1). */
const ATTRIBUTES: readonly (readonly [keyof SubjectAttributes, Oid, number])[] = [
  ['country', '2.5.4.6', 2],
  ['stateOrProvince', '2.5.4.8', 128],
  ['locality', '2.5.4.7', 128],
  ['organization', '2.5.4.10', 64],
  ['organizationalUnit', '2.5.4.11', 64],
  ['commonName', '2.5.4.3', 64],
];

/** A name of these attributes. Throws `RangeError` on one that is empty or too long. */
export function distinguishedNameOf(attributes: SubjectAttributes): DistinguishedName {
  const levels = ATTRIBUTES.flatMap(([name, oid, longest]) => {
    const value = attributes[name];
    if (value === undefined) return [];
    if (value.length < 1 || value.length > longest)
      throw new RangeError(`${name}: 1 to ${longest} characters, not ${value.length}`);
    if (name === 'country' && !/^[A-Z]{2}$/.test(value)) throw new RangeError('country: two capital letters');
    const text = name === 'country' ? der.printableString(value) : der.utf8String(value);
    return [der.setOf(der.sequence(der.oid(oid), text))];
  });
  return levels.length === 0 ? DistinguishedName.empty : new DistinguishedName(der.sequence(...levels));
}
