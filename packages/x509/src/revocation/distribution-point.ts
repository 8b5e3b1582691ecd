import {
  bytesEqual,
  contextConstructedTag,
  contextTag,
  type DerReader,
  der,
  type Oid,
  Tag,
} from '@testudo/codec';
import { DistinguishedName } from '../distinguished-name.ts';
import type { Extension, Extensions } from '../extensions.ts';
import { encodeGeneralName, type GeneralName, readGeneralName } from '../general-name.ts';
import { ExtensionOid } from '../oids.ts';
import { parseExtension } from '../parse-der.ts';
import { CA_ISSUERS_ACCESS, OcspOid, RevocationOid } from './oids.ts';
import { encodeReasonFlags, type ReasonMask, type RevocationReason, readReasonFlags } from './reasons.ts';

/** Names of a place where a CRL is; or the last level of a name whose others are the CRL issuer's. */
export type DistributionPointName =
  | { readonly kind: 'full'; readonly names: readonly GeneralName[] }
  | { readonly kind: 'relative'; readonly attributes: Uint8Array };

/** Where a certificate's CRL is to be found (RFC 5280 §4.2.1.13). */
export interface DistributionPoint {
  readonly name: DistributionPointName | undefined;
  /** What the CRL there covers; undefined: all reasons. */
  readonly reasons: ReasonMask | undefined;
  /** Who issues it, when it is not the certificate's issuer. */
  readonly crlIssuer: readonly GeneralName[] | undefined;
}

/** What a CRL covers (RFC 5280 §5.2.5). */
export interface IssuingDistributionPoint {
  readonly name: DistributionPointName | undefined;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCaCerts: boolean;
  readonly onlySomeReasons: ReasonMask | undefined;
  readonly indirectCrl: boolean;
  readonly onlyContainsAttributeCerts: boolean;
}

/** Points in one extension, and names in one point: real ones have one or two. */
const MAX_ITEMS = 64;

/** The certificate's CRL distribution points; none when the extension is absent. Throws CertificateError `malformed`. */
export function distributionPointsOf(extensions: Extensions): readonly DistributionPoint[] {
  return readPoints(extensions.get(ExtensionOid.crlDistributionPoints), 'cRLDistributionPoints');
}

/** Where deltas of a CRL, or of what a certificate points to, are (RFC 5280 §5.2.6, §4.2.1.15). */
export function freshestCrlOf(extensions: Extensions): readonly DistributionPoint[] {
  return readPoints(extensions.get(RevocationOid.freshestCRL), 'freshestCRL');
}

/** `http:` addresses of points, in order: LDAP and the rest are left to others. */
export function httpUrlsOf(points: readonly DistributionPoint[]): string[] {
  return points.flatMap(({ name }) => (name?.kind === 'full' ? name.names.flatMap(httpUrl) : []));
}

/** Addresses of the issuer's OCSP responders (RFC 5280 §4.2.2.1). Throws CertificateError `malformed`. */
export function ocspUrlsOf(extensions: Extensions): string[] {
  return accessUrls(extensions, OcspOid.access);
}

/** Reads the value of issuingDistributionPoint. Throws DecodeError. */
export function readIssuingDistributionPoint(reader: DerReader): IssuingDistributionPoint {
  return reader.sequence((point) => {
    // RFC 5280 §5.2.5: never an empty sequence.
    if (point.remaining === 0) throw point.error('bad-length', 'an empty issuingDistributionPoint');
    return {
      name: readName(point),
      onlyContainsUserCerts: readFlag(point, 1),
      onlyContainsCaCerts: readFlag(point, 2),
      onlySomeReasons: point.peek() === contextTag(3) ? readReasonFlags(point, 3) : undefined,
      indirectCrl: readFlag(point, 4),
      onlyContainsAttributeCerts: readFlag(point, 5),
    };
  });
}

/** What an issuingDistributionPoint is made from. */
export interface IssuingDistributionPointContent {
  readonly urls?: readonly string[] | undefined;
  readonly onlyContains?: 'user-certificates' | 'ca-certificates' | undefined;
  readonly onlySomeReasons?: readonly RevocationReason[] | undefined;
  readonly indirect?: boolean | undefined;
}

/** The extension's value, DER. */
export function encodeIssuingDistributionPoint(content: IssuingDistributionPointContent): Uint8Array {
  const flag = (number: number, value: boolean): Uint8Array | undefined =>
    value ? der.implicit(number, der.boolean(true)) : undefined;
  return der.sequence(
    content.urls && der.explicit(0, der.explicit(0, ...content.urls.map(encodeUrl))),
    flag(1, content.onlyContains === 'user-certificates'),
    flag(2, content.onlyContains === 'ca-certificates'),
    content.onlySomeReasons && der.implicit(3, encodeReasonFlags(content.onlySomeReasons)),
    flag(4, content.indirect === true),
  );
}

/** A cRLDistributionPoints (or, by `oid`, freshestCRL) extension of one point with these addresses. */
export function distributionPointsExtension(
  urls: readonly string[],
  crlIssuer?: DistinguishedName,
  oid: Oid = ExtensionOid.crlDistributionPoints,
): Extension {
  const issuer = crlIssuer && der.explicit(2, encodeGeneralName({ kind: 'directory', name: crlIssuer }));
  const point = der.sequence(der.explicit(0, der.explicit(0, ...urls.map(encodeUrl))), issuer);
  return { oid, critical: false, value: der.sequence(point) };
}

/** An authorityInformationAccess extension (RFC 5280 §4.2.2.1). */
export function authorityInformationAccess(urls: {
  readonly ocsp?: readonly string[] | undefined;
  readonly issuers?: readonly string[] | undefined;
}): Extension {
  const access = (oid: Oid, list: readonly string[] = []): Uint8Array[] =>
    list.map((url) => der.sequence(der.oid(oid), encodeUrl(url)));
  return {
    oid: ExtensionOid.authorityInformationAccess,
    critical: false,
    value: der.sequence(...access(OcspOid.access, urls.ocsp), ...access(CA_ISSUERS_ACCESS, urls.issuers)),
  };
}

/** Whether two points have a name in common; `crlIssuer` completes relative ones. */
export function shareName(
  a: DistributionPointName,
  b: DistributionPointName,
  crlIssuer: DistinguishedName,
): boolean {
  if (a.kind === 'relative' && b.kind === 'relative') return bytesEqual(a.attributes, b.attributes);
  const others = fullNames(b, crlIssuer);
  return fullNames(a, crlIssuer).some((name) => others.some((other) => isSameName(name, other)));
}

export function isSameName(a: GeneralName, b: GeneralName): boolean {
  if (a.kind === 'directory') return b.kind === 'directory' && a.name.equals(b.name);
  return bytesEqual(encodeGeneralName(a), encodeGeneralName(b));
}

function fullNames(name: DistributionPointName, crlIssuer: DistinguishedName): readonly GeneralName[] {
  if (name.kind === 'full') return name.names;
  // RFC 5280 §4.2.1.13: the issuer's name with one level more.
  const levels = crlIssuer.der.subarray(crlIssuer.der.length - contentLength(crlIssuer.der));
  const whole = der.sequence(levels, der.element(Tag.set, name.attributes));
  return [{ kind: 'directory', name: new DistinguishedName(whole) }];
}

function contentLength(whole: Uint8Array): number {
  return whole[1]! < 0x80 ? whole[1]! : whole.length - 2 - (whole[1]! & 0x7f);
}

function readPoints(extension: Extension | undefined, name: string): readonly DistributionPoint[] {
  return parseExtension(extension, name, (r) => r.sequenceOf(readPoint, Tag.sequence, MAX_ITEMS)) ?? [];
}

function readPoint(reader: DerReader): DistributionPoint {
  return reader.sequence((point) => {
    const name = readName(point);
    const reasons = point.peek() === contextTag(1) ? readReasonFlags(point, 1) : undefined;
    const crlIssuer = point.peek() === contextConstructedTag(2) ? readNames(point, 2) : undefined;
    // RFC 5280 §4.2.1.13: reasons alone point nowhere.
    if (name === undefined && crlIssuer === undefined)
      throw point.error('bad-value', 'a distribution point without a name');
    return { name, reasons, crlIssuer };
  });
}

function readName(point: DerReader): DistributionPointName | undefined {
  return point.explicit(0, (choice): DistributionPointName => {
    if (choice.peek() === contextConstructedTag(1))
      return { kind: 'relative', attributes: choice.content(contextConstructedTag(1)) };
    return { kind: 'full', names: readNames(choice, 0) };
  });
}

function readNames(reader: DerReader, number: number): GeneralName[] {
  const names = reader.sequenceOf((item) => readGeneralName(item), contextConstructedTag(number), MAX_ITEMS);
  if (names.length === 0) throw reader.error('bad-length', 'an empty list of names');
  return names;
}

/** BOOLEAN DEFAULT FALSE with `[number] IMPLICIT`; DER leaves FALSE out. */
function readFlag(reader: DerReader, number: number): boolean {
  if (reader.peek() !== contextTag(number)) return false;
  const offset = reader.offset;
  const content = reader.content(contextTag(number));
  if (content.length !== 1 || content[0] !== 0xff)
    throw reader.error('bad-value', 'a flag that is not TRUE', offset);
  return true;
}

function accessUrls(extensions: Extensions, method: Oid): string[] {
  const all = parseExtension(
    extensions.get(ExtensionOid.authorityInformationAccess),
    'authorityInformationAccess',
    (reader) =>
      reader.sequenceOf(
        (item) => item.sequence((access) => ({ oid: access.oid(), name: readGeneralName(access) })),
        Tag.sequence,
        MAX_ITEMS,
      ),
  );
  return (all ?? []).filter(({ oid }) => oid === method).flatMap(({ name }) => httpUrl(name));
}

function httpUrl(name: GeneralName): string[] {
  return name.kind === 'uri' && /^https?:\/\//i.test(name.value) ? [name.value] : [];
}

function encodeUrl(url: string): Uint8Array {
  return encodeGeneralName({ kind: 'uri', value: url });
}
