import { alpn } from './alpn.ts';
import { applicationSettings, applicationSettingsOld } from './application-settings.ts';
import { certificateAuthorities, trustedCaKeys } from './certificate-authorities.ts';
import { compressCertificate } from './certificate-compression.ts';
import { statusRequest, statusRequestV2 } from './certificate-status.ts';
import { signedCertificateTimestamp } from './certificate-timestamps.ts';
import { clientCertificateType, serverCertificateType } from './certificate-type.ts';
import { cookie } from './cookie.ts';
import { delegatedCredential } from './delegated-credential.ts';
import { echOuterExtensions, encryptedClientHello } from './encrypted-client-hello.ts';
import type { Extension } from './extension.ts';
import { heartbeat } from './heartbeat.ts';
import { keyShare } from './key-share.ts';
import * as negotiation from './negotiation.ts';
import { nextProtocolNegotiation } from './next-protocol.ts';
import { oidFilters } from './oid-filters.ts';
import { padding } from './padding.ts';
import { earlyData, preSharedKey, pskKeyExchangeModes } from './pre-shared-key.ts';
import { maxFragmentLength, recordSizeLimit } from './record-size.ts';
import { serverName } from './server-names.ts';
import { sessionTicket } from './session-ticket.ts';
import { tlsFlags } from './tls-flags.ts';
import { trustAnchors } from './trust-anchors.ts';
import { useSrtp } from './use-srtp.ts';

/** Every extension the engine knows: the one place that decides what may stand where. */
export const EXTENSIONS: readonly Extension[] = [
  serverName,
  maxFragmentLength,
  trustedCaKeys,
  statusRequest,
  negotiation.supportedGroups,
  negotiation.ecPointFormats,
  negotiation.signatureAlgorithms,
  useSrtp,
  heartbeat,
  alpn,
  statusRequestV2,
  signedCertificateTimestamp,
  padding,
  negotiation.encryptThenMac,
  negotiation.extendedMasterSecret,
  clientCertificateType,
  serverCertificateType,
  compressCertificate,
  delegatedCredential,
  recordSizeLimit,
  sessionTicket,
  preSharedKey,
  earlyData,
  negotiation.supportedVersions,
  cookie,
  pskKeyExchangeModes,
  certificateAuthorities,
  oidFilters,
  negotiation.postHandshakeAuth,
  negotiation.signatureAlgorithmsCert,
  keyShare,
  nextProtocolNegotiation,
  applicationSettingsOld,
  applicationSettings,
  tlsFlags,
  trustAnchors,
  echOuterExtensions,
  encryptedClientHello,
  negotiation.renegotiationInfo,
];

const BY_ID = new Map(EXTENSIONS.map((extension) => [extension.id, extension]));

export function extensionById(id: number): Extension | undefined {
  return BY_ID.get(id);
}

/** The extension's name, or `extension(n)`. */
export function extensionName(id: number): string {
  return BY_ID.get(id)?.name ?? `extension(${id})`;
}
