import { requestCompression } from '../certificates/compression.ts';
import { requestDelegation } from '../certificates/delegated-credential.ts';
import { offerCertificateTypes } from '../certificates/type-negotiation.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { certificateAuthorities, namedAuthorities } from '../extensions/certificate-authorities.ts';
import { statusRequestV2 } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import { signatureAlgorithmsCert } from '../extensions/negotiation.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { learnHeartbeat, offerHeartbeat } from '../heartbeat/negotiation.ts';
import { TLS13 } from '../versions.ts';
import { offerSettings } from './application-settings.ts';
import { checkProtocolAnswer } from './cross-protocol.ts';
import { receiveCustomExtensions, sendCustomExtensions } from './custom-extensions.ts';
import { offerNpn } from './npn.ts';
import { learnRecordSizes, offerRecordSizes } from './record-sizes.ts';
import { OCSP_REQUESTS_V2 } from './stapling.ts';
import { nameTrustAnchors } from './trust-anchors.ts';

/** Adds the optional extensions that the options ask for to a ClientHello. */
export function offerFeatures(h: ClientHandshake, block: ExtensionBlock<'client_hello'>): void {
  const { config } = h;
  const { features } = config;
  const { certificateSignatureSchemeIds } = features;
  if (certificateSignatureSchemeIds !== undefined)
    block.set(signatureAlgorithmsCert, certificateSignatureSchemeIds);
  if (config.requestOcspChain && config.versions.some((version) => version < TLS13))
    block.set(statusRequestV2, OCSP_REQUESTS_V2);
  if (config.requestTimestamps) block.set(signedCertificateTimestamp, null);
  const named = namedAuthorities(config.certificateAuthorities);
  if (named.length > 0) block.set(certificateAuthorities, named);
  offerCertificateTypes(h, block);
  if (h.config.versions.includes(TLS13)) {
    requestCompression(h, block);
    requestDelegation(h, block);
    offerSettings(h, block);
    nameTrustAnchors(h, block);
  }
  offerRecordSizes(h.config, block);
  offerHeartbeat(h.config, block);
  offerNpn(h, block);
  sendCustomExtensions(features.custom, block);
}

/** Takes the server's answers to them into account: from ServerHello up to TLS 1.2, else from EncryptedExtensions. */
export function learnFeatures(
  h: ClientHandshake,
  answer: ExtensionBlock<'server_hello_12'> | ExtensionBlock<'encrypted_extensions'>,
): void {
  learnRecordSizes(h, answer as ExtensionBlock<'encrypted_extensions'>);
  learnHeartbeat(h, answer as ExtensionBlock<'encrypted_extensions'>);
  checkProtocolAnswer(h.config, answer as ExtensionBlock<'encrypted_extensions'>);
  receiveCustomExtensions(h, h.config.features.custom, answer);
}

/** What a server says with its certificate request, or with a ticket, beside what they are for. */
export function noteFeatures(
  h: ClientHandshake,
  block: ExtensionBlock<'certificate_request'> | ExtensionBlock<'new_session_ticket'>,
): void {
  receiveCustomExtensions(h, h.config.features.custom, block);
}
