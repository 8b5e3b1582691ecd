import { der, Tag, Writer } from '@testudo/codec';
import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import { keyIdentifierOf } from '../build.ts';
import type { Certificate } from '../certificate.ts';
import type { DistinguishedName } from '../distinguished-name.ts';
import type { Extension } from '../extensions.ts';
import { encodeGeneralName } from '../general-name.ts';
import { ExtensionOid } from '../oids.ts';
import { CertificateRevocationList } from '../revocation/crl.ts';
import {
  distributionPointsExtension,
  encodeIssuingDistributionPoint,
  type IssuingDistributionPointContent,
} from '../revocation/distribution-point.ts';
import { RevocationOid } from '../revocation/oids.ts';
import { REVOCATION_REASONS, type RevocationReason } from '../revocation/reasons.ts';
import { signedSequence } from './sign.ts';

/** One certificate on a list that is being made. */
export interface CrlEntryContent {
  /** Two's complement, big-endian, as in the certificate. */
  readonly serialNumber: Uint8Array;
  readonly revocationDate: Date;
  /** Left out when `unspecified` (RFC 5280 §5.3.1). */
  readonly reason?: RevocationReason | undefined;
  readonly invalidityDate?: Date | undefined;
  /** Who issued the certificate, in indirect lists; default: as the entry before. */
  readonly certificateIssuer?: DistinguishedName | undefined;
}

export interface CrlContent {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Greater than that of every list before (RFC 5280 §5.2.3). */
  readonly number: bigint;
  /** Makes a delta to the complete list of this number. */
  readonly baseNumber?: bigint | undefined;
  readonly entries: Iterable<CrlEntryContent>;
  /** Default: the list covers all certificates of its issuer for all reasons. */
  readonly issuingDistributionPoint?: IssuingDistributionPointContent | undefined;
  /** Where deltas are. */
  readonly freshestCrlUrls?: readonly string[] | undefined;
}

/** Signs a CRL of version 2 (RFC 5280 §5). */
export function buildCrl(
  content: CrlContent,
  provider: CryptoProvider,
  issuer: { readonly certificate: Certificate; readonly privateKey: PrivateKey },
): CertificateRevocationList {
  // One after the other into one buffer: there may be a million of them.
  const entries = new Writer();
  for (const entry of content.entries) entries.bytes(encodeEntry(entry));
  const bytes = signedSequence(provider, issuer.privateKey, (algorithm) =>
    der.sequence(
      der.integer(1),
      algorithm,
      issuer.certificate.subject.der,
      der.time(content.thisUpdate),
      der.time(content.nextUpdate),
      entries.length === 0 ? undefined : der.sequence(entries.finish()),
      der.explicit(0, der.sequence(...encodeExtensions(content, provider, issuer))),
    ),
  );
  return CertificateRevocationList.parse(bytes, Number.POSITIVE_INFINITY);
}

function encodeExtensions(
  content: CrlContent,
  provider: CryptoProvider,
  issuer: { readonly certificate: Certificate; readonly privateKey: PrivateKey },
): Uint8Array[] {
  const keyIdentifier =
    issuer.certificate.extensions.subjectKeyIdentifier ??
    keyIdentifierOf(issuer.privateKey.publicKey, provider);
  const { baseNumber, issuingDistributionPoint, freshestCrlUrls } = content;
  const extensions: (Extension | undefined)[] = [
    {
      oid: ExtensionOid.authorityKeyIdentifier,
      critical: false,
      value: der.sequence(der.implicit(0, der.octetString(keyIdentifier))),
    },
    { oid: RevocationOid.cRLNumber, critical: false, value: der.integer(content.number) },
    baseNumber === undefined
      ? undefined
      : { oid: RevocationOid.deltaCRLIndicator, critical: true, value: der.integer(baseNumber) },
    issuingDistributionPoint && {
      oid: RevocationOid.issuingDistributionPoint,
      critical: true,
      value: encodeIssuingDistributionPoint(issuingDistributionPoint),
    },
    freshestCrlUrls && distributionPointsExtension(freshestCrlUrls, undefined, RevocationOid.freshestCRL),
  ];
  return extensions.filter((one) => one !== undefined).map(encodeExtension);
}

function encodeEntry(entry: CrlEntryContent): Uint8Array {
  const { reason, invalidityDate, certificateIssuer } = entry;
  const extensions: Uint8Array[] = [];
  const add = (oid: string, critical: boolean, value: Uint8Array): void =>
    void extensions.push(encodeExtension({ oid, critical, value }));
  if (reason !== undefined && reason !== 'unspecified')
    add(RevocationOid.reasonCode, false, der.enumerated(REVOCATION_REASONS[reason]));
  if (invalidityDate !== undefined)
    add(RevocationOid.invalidityDate, false, der.generalizedTime(invalidityDate));
  if (certificateIssuer !== undefined) {
    const name = encodeGeneralName({ kind: 'directory', name: certificateIssuer });
    add(RevocationOid.certificateIssuer, true, der.sequence(name));
  }
  return der.sequence(
    der.element(Tag.integer, entry.serialNumber),
    der.time(entry.revocationDate),
    extensions.length === 0 ? undefined : der.sequence(...extensions),
  );
}

function encodeExtension({ oid, critical, value }: Extension): Uint8Array {
  return der.sequence(der.oid(oid), critical ? der.boolean(true) : undefined, der.octetString(value));
}
