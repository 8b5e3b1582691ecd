import { requestCompression } from '../certificates/compression.ts';
import { requestDelegation } from '../certificates/delegated-credential.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { OCSP_REQUEST, statusRequest } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import { signatureAlgorithms, signatureAlgorithmsCert } from '../extensions/negotiation.ts';
import { oidFilters } from '../extensions/oid-filters.ts';
import { GREASE_VALUES } from '../grease.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { answerHeartbeat } from '../heartbeat/negotiation.ts';
import { receiveCustomExtensions, sendCustomExtensions } from './custom-extensions.ts';
import { answerRecordSizes } from './record-sizes.ts';

/** Answers the client's optional extensions: in ServerHello up to TLS 1.2, else in EncryptedExtensions. */
export function answerFeatures(
  h: ServerHandshake,
  asked: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'server_hello_12'> | ExtensionBlock<'encrypted_extensions'>,
): void {
  const { custom } = h.config.features;
  answerRecordSizes(h, asked, answer as ExtensionBlock<'encrypted_extensions'>);
  answerHeartbeat(h, asked, answer as ExtensionBlock<'encrypted_extensions'>);
  if (custom.length > 0) {
    receiveCustomExtensions(h, custom, asked);
    sendCustomExtensions(custom, answer as ExtensionBlock<'encrypted_extensions'>, asked);
  }
}

/** Adds the optional extensions of a certificate request (RFC 9846 §4.4.2). */
export function requestFeatures(h: ServerHandshake, block: ExtensionBlock<'certificate_request'>): void {
  const { config } = h;
  const { features } = config;
  const { certificateSignatureSchemeIds } = features;
  if (certificateSignatureSchemeIds !== undefined)
    block.set(signatureAlgorithmsCert, certificateSignatureSchemeIds);
  if (config.oidFilters.length > 0) block.set(oidFilters, [...config.oidFilters]);
  requestCompression(h, block);
  requestDelegation(h, block);
  if (config.requestOcsp) block.set(statusRequest, OCSP_REQUEST);
  if (config.requestTimestamps) block.set(signedCertificateTimestamp, null);
  sendCustomExtensions(features.custom, block);
  if (!config.grease) return;
  const [scheme, id] = greaseValues(h);
  block.set(signatureAlgorithms, [scheme, ...block.get(signatureAlgorithms)!]);
  block.setRaw(id, new Uint8Array(0));
}

/** Adds the optional extensions of a ticket (RFC 9846 §4.7.1). */
export function ticketFeatures(h: ServerHandshake, block: ExtensionBlock<'new_session_ticket'>): void {
  sendCustomExtensions(h.config.features.custom, block);
  if (h.config.grease) block.setRaw(greaseValues(h)[0], new Uint8Array(0));
}

function greaseValues(h: ServerHandshake): [number, number] {
  const [first, second] = h.provider.randomBytes(2) as unknown as [number, number];
  return [GREASE_VALUES[first % 16]!, GREASE_VALUES[second % 16]!];
}
