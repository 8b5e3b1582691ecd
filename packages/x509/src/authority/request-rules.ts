import type { CryptoProvider, PublicKey } from '@testudo/crypto';
import { DistinguishedName } from '../distinguished-name.ts';
import { CertificateError } from '../errors.ts';
import { type GeneralName, generalNameText } from '../general-name.ts';
import { ExtensionOid } from '../oids.ts';
import { demandsStaplingOf } from '../revocation/must-staple.ts';
import { RevocationOid } from '../revocation/oids.ts';
import { CertificationRequest } from './certification-request.ts';
import { toGeneralName } from './names.ts';
import { type CertificatePurpose, TEMPLATES } from './templates.ts';

/** What a CA grants to those who ask: data, so that each CA has its own. */
export interface SigningRules {
  readonly purpose: CertificatePurpose;
  /**
   * Names that may be asked for: `example.com` itself, `*.example.com` for it and everything below, addresses, mail
   * addresses. `any` believes the request: only for somebody who looked at it. All names asked for must be granted.
   */
  readonly names: readonly string[] | 'any';
  /** Whether the subject is taken as asked for. Default `common-name`: the first name, nothing that nobody checked. */
  readonly subject?: 'as-requested' | 'common-name' | undefined;
  /** Shortest RSA key, in bits. Default 2048. */
  readonly minimumRsaBits?: number | undefined;
  /** Requested extensions beyond names and must-staple, which come from the template: ignored, or refused. Default `ignore`. */
  readonly otherExtensions?: 'ignore' | 'refuse' | undefined;
  /** Default: that of the purpose. */
  readonly days?: number | undefined;
  /** The moment of issue. Default: now. */
  readonly at?: Date | undefined;
}

/** What of a request goes into the certificate. */
export interface GrantedRequest {
  readonly subject: DistinguishedName;
  readonly names: readonly GeneralName[];
  readonly publicKey: PublicKey;
  readonly mustStaple: boolean;
}

/** Checks a request against the rules. Throws {@link CertificateError}, see `CertificateAuthority.sign`. */
export function grantRequest(
  input: string | Uint8Array,
  rules: SigningRules,
  provider: CryptoProvider,
): GrantedRequest {
  const request = CertificationRequest.parse(input);
  const publicKey = request.provenPublicKey(provider);
  checkKey(publicKey, rules);
  checkExtensions(request, rules);
  const names = namesOf(request, rules);
  return {
    subject: subjectOf(request, names, rules),
    names,
    publicKey,
    mustStaple: demandsStaplingOf(request.extensions),
  };
}

function checkKey({ kind }: PublicKey, { minimumRsaBits = 2048 }: SigningRules): void {
  if ((kind.type === 'rsa' || kind.type === 'rsa-pss') && kind.bits < minimumRsaBits)
    throw new CertificateError(
      'weak-key',
      `the request's RSA key has ${kind.bits} bits; at least ${minimumRsaBits} are needed`,
    );
}

/** Extensions that a request may have without harm: the template decides what becomes of usages. */
const HARMLESS: ReadonlySet<string> = new Set([
  ExtensionOid.subjectAltName,
  ExtensionOid.keyUsage,
  ExtensionOid.extendedKeyUsage,
  ExtensionOid.basicConstraints,
  ExtensionOid.subjectKeyIdentifier,
  RevocationOid.tlsFeature,
]);

function checkExtensions({ extensions }: CertificationRequest, rules: SigningRules): void {
  if (extensions.basicConstraints?.ca === true)
    throw refusal('it asks for a CA certificate, and intermediates are not issued from requests');
  if (rules.otherExtensions !== 'refuse') return;
  const template = TEMPLATES[rules.purpose];
  const other = [...extensions].find(({ oid }) => !HARMLESS.has(oid));
  if (other !== undefined) throw refusal(`it asks for the extension ${other.oid}`);
  const purpose = extensions.extendedKeyUsage?.find((oid) => !template.extendedKeyUsage.includes(oid));
  if (purpose !== undefined) throw refusal(`it asks for the purpose ${purpose}`);
}

/** The alternative names; where there are none, the common name stands for one. */
function namesOf(request: CertificationRequest, rules: SigningRules): readonly GeneralName[] {
  const template = TEMPLATES[rules.purpose];
  const names = request.extensions.subjectAltName ?? fromCommonName(request, rules);
  const wrong = names.find(({ kind }) => !template.names.includes(kind));
  if (wrong !== undefined)
    throw refusal(`a certificate for ${rules.purpose} cannot have ${wrong.kind} names`);
  if (template.needsOneOf.length > 0 && !names.some(({ kind }) => template.needsOneOf.includes(kind)))
    throw refusal(`a certificate for ${rules.purpose} needs a name: ${template.needsOneOf.join(', ')}`);
  if (names.length > MOST_NAMES) throw refusal(`it asks for more than ${MOST_NAMES} names`);
  for (const name of names) {
    if (!isWellFormed(name)) throw refusal(`${generalNameText(name)} is not a name`);
    if (rules.names !== 'any' && !rules.names.some((granted) => isGranted(name, granted)))
      throw refusal(`the name ${generalNameText(name)} is not allowed`);
  }
  return names;
}

const MOST_NAMES = 100;

function fromCommonName(request: CertificationRequest, rules: SigningRules): readonly GeneralName[] {
  const { commonName } = request.subject;
  if (commonName === undefined || TEMPLATES[rules.purpose].needsOneOf.length === 0) return [];
  try {
    return [toGeneralName(commonName)];
  } catch {
    return [];
  }
}

/** Written as we would write it: no white space, no control characters, a real domain. */
function isWellFormed(name: GeneralName): boolean {
  if (!('value' in name)) return true;
  try {
    const again = toGeneralName(name.value);
    return (
      again.kind === name.kind && 'value' in again && again.value.toLowerCase() === name.value.toLowerCase()
    );
  } catch {
    return false;
  }
}

function isGranted(name: GeneralName, granted: string): boolean {
  if (name.kind === 'dns' && granted.startsWith('*.')) {
    const base = textOf(toGeneralName(granted.slice(2)));
    const host = name.value.toLowerCase();
    return host === base || host.endsWith(`.${base}`);
  }
  const other = toGeneralName(granted);
  return other.kind === name.kind && textOf(other) === textOf(name);
}

function textOf(name: GeneralName): string {
  if (name.kind === 'dns') return name.value.toLowerCase();
  return generalNameText(name);
}

function subjectOf(
  request: CertificationRequest,
  names: readonly GeneralName[],
  rules: SigningRules,
): DistinguishedName {
  if (rules.subject === 'as-requested') {
    // What cannot be read is not signed.
    void request.subject.key;
    return request.subject;
  }
  const first = names.find((name) => 'value' in name && name.value.length <= 64);
  if (first !== undefined && 'value' in first) return DistinguishedName.ofCommonName(first.value);
  const { commonName } = request.subject;
  if (names.length > 0) return DistinguishedName.empty;
  if (commonName === undefined || commonName.length > 64)
    throw refusal('it has neither a name nor a common name of at most 64 characters');
  if (rules.names !== 'any' && !rules.names.includes(commonName))
    throw refusal(`the common name ${JSON.stringify(commonName)} is not allowed`);
  return DistinguishedName.ofCommonName(commonName);
}

function refusal(what: string): CertificateError {
  return new CertificateError('profile-violation', `the certification request is refused: ${what}`);
}
