import { checkCompressions } from '../certificates/compression.ts';
import { delegableSchemes } from '../certificates/delegated-credential.ts';
import { clientCertificateTypes, takenCertificateTypes } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import { statusRequest } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import { delegatedCredential } from '../extensions/delegated-credential.ts';
import { extensionById } from '../extensions/table.ts';
import { ownSettings } from '../features/application-settings.ts';
import { maxFragmentLengthCode } from '../features/record-sizes.ts';
import { checkTrustAnchors } from '../features/trust-anchors.ts';
import { isGrease } from '../grease.ts';
import { heartbeatModeCode } from '../heartbeat/negotiation.ts';
import type {
  ClientFeatureOptions,
  CommonFeatureOptions,
  GreasePlace,
  ServerFeatureOptions,
} from '../options/features.ts';
import { type SignatureScheme, signatureSchemeByName } from '../signature-schemes.ts';
import { flag, oneOf } from './checks.ts';
import type { ClientFeatures, CommonFeatures, ServerFeatures } from './config.ts';
import { defaultSignatureSchemes } from './defaults.ts';
import type { CommonSettings, ServerSettings } from './settings.ts';

/** Throws `bad-option`. */
export function clientFeatures(
  options: ClientFeatureOptions & { readonly credentials?: unknown },
): ClientFeatures {
  const { grease, helloPadding, extensionOrder } = options;
  if (helloPadding !== undefined && !(helloPadding >= 2 && helloPadding <= 4096)) {
    throw new TlsError('bad-option', `helloPadding must be from 2 to 4096, not ${helloPadding}`);
  }
  if (Array.isArray(extensionOrder)) extensionOrder.forEach(checkNumber);
  else oneOf<unknown>('extensionOrder', extensionOrder, ['shuffle'], undefined);
  checkTrustAnchors(options.trustAnchors);
  const places = Array.isArray(grease) ? grease : flag(options, 'grease', false) ? GREASE_PLACES : [];
  for (const place of places) oneOf('grease', place, GREASE_PLACES, place);
  return {
    ...commonFeatures(options),
    grease: new Set(places),
    maxFragmentLengthCode: maxFragmentLengthCode(options.requestMaxFragmentLength),
    certificateTypes: clientCertificateTypes(options),
  };
}

/** Throws `bad-option`. */
export function serverFeatures(
  options: ServerFeatureOptions & { readonly verifyCertificate?: unknown },
  settings: Pick<CommonSettings & ServerSettings, 'requestOcsp' | 'requestTimestamps' | 'renegotiation'>,
): ServerFeatures {
  const common = commonFeatures(options);
  const ids: number[] = [];
  if (settings.requestOcsp) ids.push(statusRequest.id);
  if (settings.requestTimestamps) ids.push(signedCertificateTimestamp.id);
  if (common.delegationSchemes.length > 0) ids.push(delegatedCredential.id);
  const keepsCertificateHash = flag(options, 'sessionsKeepCertificateHash', false);
  if (keepsCertificateHash && settings.renegotiation !== undefined)
    throw new TlsError(
      'bad-option',
      'sessionsKeepCertificateHash cannot be used with renegotiation, which compares whole certificates',
    );
  return { ...common, ...takenCertificateTypes(options), requested: { ids }, keepsCertificateHash };
}

function commonFeatures(options: CommonFeatureOptions): CommonFeatures {
  const custom = options.customExtensions ?? [];
  custom.forEach(({ id }, index) => {
    checkNumber(id);
    const known = extensionById(id)?.name;
    if (known !== undefined) {
      throw new TlsError('bad-option', `the extension ${id} is ${known}, which the engine handles itself`);
    }
    if (isGrease(id))
      throw new TlsError('bad-option', `the extension ${id} is GREASE: use the option grease`);
    if (custom.findIndex((other) => other.id === id) !== index) {
      throw new TlsError('bad-option', `the extension ${id} is listed twice`);
    }
  });
  const { recordSizeLimit } = options;
  if (recordSizeLimit !== undefined && !(recordSizeLimit >= 64 && recordSizeLimit <= 16_385)) {
    throw new TlsError('bad-option', `recordSizeLimit must be from 64 to 16385, not ${recordSizeLimit}`);
  }
  return {
    custom,
    heartbeatMode: heartbeatModeCode(options.heartbeat),
    compressions: checkCompressions(options.certificateCompression),
    delegationSchemes: delegationSchemes(options),
    settings: ownSettings(options),
    keepsCertificateHash: false,
    certificateSignatureSchemeIds: options.certificateSignatureSchemes?.map((name) => schemeNamed(name).id),
  };
}

function delegationSchemes({
  acceptDelegatedCredentials: accepts = false,
  signatureSchemes,
}: CommonFeatureOptions & {
  readonly signatureSchemes?: readonly string[] | undefined;
}): readonly SignatureScheme[] {
  if (accepts === false) return [];
  const schemes =
    accepts !== true
      ? accepts.map(schemeNamed)
      : (signatureSchemes?.map(schemeNamed) ?? defaultSignatureSchemes());
  const fitting = schemes.filter((scheme) => delegableSchemes().includes(scheme));
  if (fitting.length > 0 && (accepts === true || fitting.length === schemes.length)) return fitting;
  throw new TlsError('bad-option', 'delegated credentials sign with TLS 1.3 schemes other than rsa_pss_rsae');
}

function schemeNamed(name: string): SignatureScheme {
  const scheme = signatureSchemeByName(name);
  if (scheme === undefined) throw new TlsError('bad-option', `no signature scheme is called ${name}`);
  return scheme;
}

function checkNumber(id: number): void {
  if (Number.isInteger(id) && id >= 0 && id <= 0xffff) return;
  throw new TlsError('bad-option', `an extension's number is from 0 to 65535, not ${id}`);
}

const GREASE_PLACES: readonly GreasePlace[] = [
  'cipherSuites',
  'groups',
  'keyShares',
  'versions',
  'signatureSchemes',
  'alpnProtocols',
  'pskModes',
  'extensions',
];
