import { bytesEqual } from '@testudo/codec';
import type { KeyKind } from '@testudo/crypto';
import type { Certificate } from './certificate.ts';
import { isDomain } from './domain.ts';
import { CertificateError } from './errors.ts';
import { formatIpAddress } from './ip-address.ts';
import { ExtensionOid, KeyPurposeOid } from './oids.ts';
import type { PathPosition } from './path-position.ts';

/** A demand on one certificate. Gives what is wrong, or undefined. Throws {@link CertificateError} `malformed`. */
type ProfileRule = (certificate: Certificate, position: PathPosition, key: KeyKind) => string | undefined;

/** The demands that a profile can name. */
export type ProfileRuleName =
  /** RFC 5280 §4.1.2.2: positive, at most 20 bytes. */
  | 'serial-number'
  /** RFC 5280 §4.2.1.1 and §4.2.1.2: both key identifiers are there, and not critical. */
  | 'key-identifiers'
  /** RFC 5280 §4.2.1.3 and §4.2.1.9: basicConstraints of a CA is critical, keyCertSign and pathLenConstraint are for CAs. */
  | 'authority-flags'
  /** RFC 5280 §4.2.1.10: nameConstraints stands in CAs only, and its domains are domains. */
  | 'name-constraints-place'
  /** RFC 5280 §4.2.1.10. */
  | 'name-constraints-critical'
  /** RFC 5280 §4.2.1.11 and §4.2.1.14. */
  | 'policy-constraints-critical'
  /** RFC 5280 §4.2.1.6: critical where it is the only name; domains in preferred name syntax. */
  | 'alternative-names'
  /** Baseline Requirements §6.1.5. */
  | 'rsa-whole-bytes'
  /** Baseline Requirements §7.1.2.1.3. */
  | 'root-key-identifiers'
  /** Baseline Requirements §7.1.2.1.2 and §7.1.2.7.10. */
  | 'exact-server-purposes'
  /** Baseline Requirements §7.1.2.7.8: the leaf is no CA. */
  | 'leaf-is-no-authority'
  /** Baseline Requirements §7.1.2.7.12 and §7.1.4.3: a common name repeats an alternative name to the letter. */
  | 'common-name-is-alternative-name'
  /** RFC 5280 §4.2.2.1. */
  | 'readable-authority-information';

/** What is wrong with a certificate by the rule of that name, or undefined. Throws as the extensions' getters do. */
export function breachOfRule(
  name: ProfileRuleName,
  certificate: Certificate,
  position: PathPosition,
  key: KeyKind,
): string | undefined {
  // A profile may come from a file: a rule that is not known must not pass for one that holds.
  return Object.hasOwn(RULES, name)
    ? RULES[name](certificate, position, key)
    : `the rule "${name}" is not known`;
}

const RULES: Readonly<Record<ProfileRuleName, ProfileRule>> = {
  'serial-number': serialNumberIsSound,
  'key-identifiers': keyIdentifiersAreThere,
  'authority-flags': authorityFlagsAgree,
  'name-constraints-place': nameConstraintsAreInPlace,
  'name-constraints-critical': nameConstraintsAreCritical,
  'policy-constraints-critical': policyConstraintsAreCritical,
  'alternative-names': alternativeNamesAreSound,
  'rsa-whole-bytes': rsaModulusIsWholeBytes,
  'root-key-identifiers': rootKeyIdentifiersAgree,
  'exact-server-purposes': purposesAreExact,
  'leaf-is-no-authority': leafIsNoAuthority,
  'common-name-is-alternative-name': alternativeNamesCoverCommonNames,
  'readable-authority-information': authorityInformationIsReadable,
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
  if (extensions.keyUsage?.has('keyCertSign') && !isAuthority)
    return 'keyCertSign in a certificate that is not a CA';
  if (extensions.basicConstraints?.pathLength !== undefined) {
    if (!isAuthority) return 'pathLenConstraint in a certificate that is not a CA';
    if (extensions.keyUsage?.has('keyCertSign') === false) return 'pathLenConstraint without keyCertSign';
  }
  return undefined;
}

/** RFC 5280 §4.2.1.10: only in CA certificates, and domains without a leading dot. */
function nameConstraintsAreInPlace({ extensions }: Certificate): string | undefined {
  const constraints = extensions.nameConstraints;
  if (constraints === undefined) return undefined;
  if (extensions.basicConstraints?.ca !== true) return 'nameConstraints in a certificate that is not a CA';
  const domains = [...constraints.permitted, ...constraints.excluded].filter(({ kind }) => kind === 'dns');
  if (domains.some((base) => base.kind === 'dns' && base.value !== '' && !isDomain(base.value)))
    return 'nameConstraints holds something that is not a domain';
  return undefined;
}

function nameConstraintsAreCritical({ extensions }: Certificate): string | undefined {
  return extensions.get(ExtensionOid.nameConstraints)?.critical === false
    ? 'nameConstraints is not critical'
    : undefined;
}

/** RFC 5280 §4.2.1.11 and §4.2.1.14. */
function policyConstraintsAreCritical({ extensions }: Certificate): string | undefined {
  if (extensions.get(ExtensionOid.policyConstraints)?.critical === false)
    return 'policyConstraints is not critical';
  if (extensions.get(ExtensionOid.inhibitAnyPolicy)?.critical === false)
    return 'inhibitAnyPolicy is not critical';
  return undefined;
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
    if (!isDomain(domain) || domain.includes('_'))
      return 'subjectAltName holds a dNSName that is not a domain';
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
  return position === 'leaf' && extensions.basicConstraints?.ca ? 'the leaf is a CA' : undefined;
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
  try {
    void extensions.authorityInformationAccess;
    return undefined;
  } catch (error) {
    if (error instanceof CertificateError) return 'authorityInformationAccess is malformed';
    throw error;
  }
}
