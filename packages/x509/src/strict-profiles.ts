import { bytesEqual, DecodeError, type DerReader, decodeDer } from '@testudo/codec';
import type { KeyKind } from '@testudo/crypto';
import type { Certificate } from './certificate.ts';
import { readGeneralName } from './general-name.ts';
import { formatIpAddress } from './ip-address.ts';
import { ExtensionOid, KeyPurposeOid } from './oids.ts';
import { isDomain } from './peer-name.ts';
import {
  compatibleProfile,
  type PathPosition,
  type ProfileRule,
  type VerificationProfile,
} from './profile.ts';

/** What RFC 5280 demands of the CAs that issue: for checking certificates rather than for connecting. */
const rfc5280Rules: readonly ProfileRule[] = [
  serialNumberIsSound,
  keyIdentifiersAreThere,
  authorityFlagsAgree,
  nameConstraintsAreInPlace,
  policyConstraintsAreCritical,
  alternativeNamesAreSound,
];

/** RFC 5280's rules for issuers, all of them that concern a path. */
export const rfc5280Profile: VerificationProfile = {
  ...compatibleProfile,
  name: 'rfc5280',
  rules: [...rfc5280Rules, nameConstraintsAreCritical],
};

/** The rules of the CA/Browser Forum's Baseline Requirements for public TLS servers, on top of RFC 5280's. */
export const webPkiProfile: VerificationProfile = {
  ...compatibleProfile,
  name: 'web-pki',
  rules: [
    ...rfc5280Rules,
    rsaModulusIsWholeBytes,
    rootKeyIdentifiersAgree,
    purposesAreExact,
    leafIsNoAuthority,
    alternativeNamesCoverCommonNames,
    authorityInformationIsReadable,
  ],
};

/** RFC 5280 §4.1.2.2. Roots are let off: Starfield's second, which the web rests on, has the number 0. */
function serialNumberIsSound({ serialNumber }: Certificate, position: PathPosition): string | undefined {
  if (position === 'anchor') return undefined;
  if (serialNumber.length > 20) return 'the serial number has more than 20 bytes';
  if (serialNumber[0]! & 0x80 || serialNumber.every((byte) => byte === 0))
    return 'the serial number is not positive';
  return undefined;
}

/** RFC 5280 §4.2.1.1 and §4.2.1.2. */
function keyIdentifiersAreThere(certificate: Certificate, position: PathPosition): string | undefined {
  const { extensions } = certificate;
  if (extensions.get(ExtensionOid.authorityKeyIdentifier)?.critical)
    return 'authorityKeyIdentifier is critical';
  if (extensions.get(ExtensionOid.subjectKeyIdentifier)?.critical) return 'subjectKeyIdentifier is critical';
  const isOwnIssuer = position === 'anchor' && certificate.isSelfIssued;
  if (!isOwnIssuer && extensions.authorityKeyIdentifier?.keyIdentifier === undefined)
    return 'authorityKeyIdentifier is missing';
  if (position !== 'leaf' && extensions.subjectKeyIdentifier === undefined)
    return 'subjectKeyIdentifier is missing';
  return undefined;
}

/** RFC 5280 §4.2.1.3 and §4.2.1.9. */
function authorityFlagsAgree({ extensions }: Certificate, position: PathPosition): string | undefined {
  const isAuthority = extensions.basicConstraints?.ca === true;
  if (position !== 'leaf' && extensions.get(ExtensionOid.basicConstraints)?.critical !== true)
    return 'basicConstraints of a CA is not critical';
  if (extensions.keyUsage?.has('keyCertSign') && !isAuthority) return 'keyCertSign without being a CA';
  return undefined;
}

/** RFC 5280 §4.2.1.10: only in CA certificates, and domains without a leading dot. */
function nameConstraintsAreInPlace({ extensions }: Certificate): string | undefined {
  const constraints = extensions.nameConstraints;
  if (constraints === undefined) return undefined;
  if (extensions.basicConstraints?.ca !== true) return 'nameConstraints in a certificate of no CA';
  const domains = [...constraints.permitted, ...constraints.excluded].filter(({ kind }) => kind === 'dns');
  if (domains.some((base) => base.kind === 'dns' && base.value !== '' && !isDomain(base.value)))
    return 'nameConstraints holds something that is no domain';
  return undefined;
}

function nameConstraintsAreCritical({ extensions }: Certificate): string | undefined {
  return extensions.get(ExtensionOid.nameConstraints)?.critical === false
    ? 'nameConstraints is not critical'
    : undefined;
}

/** RFC 5280 §4.2.1.11. */
function policyConstraintsAreCritical({ extensions }: Certificate): string | undefined {
  return extensions.get(ExtensionOid.policyConstraints)?.critical === false
    ? 'policyConstraints is not critical'
    : undefined;
}

/** RFC 5280 §4.2.1.6: critical where it is the only name; domains in preferred name syntax. */
function alternativeNamesAreSound({ extensions, subject }: Certificate): string | undefined {
  const names = extensions.subjectAltName;
  if (names === undefined) return undefined;
  if (subject.isEmpty && extensions.get(ExtensionOid.subjectAltName)?.critical !== true)
    return 'subjectAltName is the only name, but not critical';
  for (const name of names) {
    if (name.kind !== 'dns') continue;
    const domain = name.value.replace(/^\*\./, '');
    if (!isDomain(domain) || domain.includes('_')) return 'subjectAltName holds a dNSName that is no domain';
  }
  return undefined;
}

/** Baseline Requirements §6.1.5. */
function rsaModulusIsWholeBytes(_: Certificate, __: PathPosition, key: KeyKind): string | undefined {
  return (key.type === 'rsa' || key.type === 'rsa-pss') && key.bits % 8 !== 0
    ? `its RSA key has ${key.bits} bits, not a multiple of 8`
    : undefined;
}

/** Baseline Requirements §7.1.2.1.3. */
function rootKeyIdentifiersAgree(certificate: Certificate, position: PathPosition): string | undefined {
  const { authorityKeyIdentifier: authority, subjectKeyIdentifier: own } = certificate.extensions;
  if (position !== 'anchor' || authority === undefined || !certificate.isSelfIssued) return undefined;
  if (
    authority.keyIdentifier === undefined ||
    authority.issuer !== undefined ||
    authority.serialNumber !== undefined
  )
    return 'authorityKeyIdentifier of a root holds more or less than the key identifier';
  if (own === undefined || !bytesEqual(authority.keyIdentifier, own))
    return 'authorityKeyIdentifier of a root is not its own';
  return undefined;
}

/** Baseline Requirements §7.1.2.1.2 and §7.1.2.7.10. */
function purposesAreExact({ extensions }: Certificate, position: PathPosition): string | undefined {
  const purposes = extensions.extendedKeyUsage;
  if (position === 'anchor') return purposes === undefined ? undefined : 'extendedKeyUsage in a root';
  if (position === 'intermediate') return undefined;
  if (purposes === undefined) return 'extendedKeyUsage is missing';
  if (purposes.includes(KeyPurposeOid.any)) return 'extendedKeyUsage holds anyExtendedKeyUsage';
  return extensions.get(ExtensionOid.extendedKeyUsage)?.critical ? 'extendedKeyUsage is critical' : undefined;
}

/** Baseline Requirements §7.1.2.7.8. */
function leafIsNoAuthority({ extensions }: Certificate, position: PathPosition): string | undefined {
  return position === 'leaf' && extensions.basicConstraints?.ca ? 'a CA as the leaf' : undefined;
}

/** Baseline Requirements §7.1.2.7.12 and §7.1.4.3: a common name repeats, letter by letter, an alternative name. */
function alternativeNamesCoverCommonNames(
  certificate: Certificate,
  position: PathPosition,
): string | undefined {
  if (position !== 'leaf') return undefined;
  const { extensions, subject } = certificate;
  const names = extensions.subjectAltName;
  if (names === undefined) return 'subjectAltName is missing';
  if (!subject.isEmpty && extensions.get(ExtensionOid.subjectAltName)?.critical)
    return 'subjectAltName is critical though there is a subject';
  const texts = names.map((name) =>
    name.kind === 'dns' ? name.value : name.kind === 'ip' ? formatIpAddress(name.bytes) : undefined,
  );
  const { commonName } = subject;
  if (commonName !== undefined && !texts.includes(commonName))
    return 'the common name is not in subjectAltName';
  return undefined;
}

/** RFC 5280 §4.2.2.1. */
function authorityInformationIsReadable({ extensions }: Certificate): string | undefined {
  const extension = extensions.get(ExtensionOid.authorityInformationAccess);
  if (extension === undefined) return undefined;
  try {
    const count = decodeDer(extension.value, (reader) => reader.sequenceOf(readAccessDescription).length);
    return count === 0 ? 'authorityInformationAccess is empty' : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return 'authorityInformationAccess is malformed';
    throw error;
  }
}

function readAccessDescription(reader: DerReader): void {
  reader.sequence((inner) => {
    inner.oid();
    readGeneralName(inner);
  });
}
