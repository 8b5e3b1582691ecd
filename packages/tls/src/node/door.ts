import { CLIENT_RENEG_LIMIT as limit, CLIENT_RENEG_WINDOW as window } from 'node:tls';
import { certificateCompressions } from './certificate-compression.ts';
import { nodeOriginals } from './live.ts';

export { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, getCiphers } from './ciphers.ts';
export { connect } from './connect.ts';
export { DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION, type SecureContextOptions } from './context-options.ts';
export { getCACertificates, setDefaultCACertificates } from './default-authorities.ts';
export type { EarlyDataSettings, EngineOptions } from './engine-options.ts';
export { type NodeTlsError, TRUNCATED, UNSUPPORTED_OPTION } from './errors.ts';
export {
  type HeartbeatKeepAliveOptions,
  type HeartbeatOptions,
  keepAliveWithHeartbeats,
} from './heartbeat.ts';
export { checkServerIdentity } from './identity.ts';
export type { IdentityCheck } from './identity-check.ts';
export type { PskClientCallback } from './psk.ts';
export { createSecureContext, SecureContext } from './secure-context.ts';
export { createServer, Server } from './server.ts';
export { TLSSocket } from './socket.ts';
export type { Strictness, StrictOption } from './strictness.ts';
export type {
  AlpnCallback,
  ConnectionOptions,
  PskServerCallback,
  ServerSettings,
  SniCallback,
  TLSSocketOptions,
  TlsOptions,
} from './types.ts';

/** The roots that come with Node (Mozilla's list), PEM: trusted where the option `ca` is not given. */
export const rootCertificates: readonly string[] = nodeOriginals.rootCertificates();

/** How often a peer may renegotiate in {@link CLIENT_RENEG_WINDOW}. */
export const CLIENT_RENEG_LIMIT: number = limit;
/** In seconds. */
export const CLIENT_RENEG_WINDOW: number = window;

/** ALPN's wire format of a list of names, put into `out.ALPNProtocols`: for those who call what Node does not document. */
export function convertALPNProtocols(
  protocols: readonly string[] | NodeJS.ArrayBufferView,
  out: { ALPNProtocols?: Buffer | undefined },
): void {
  nodeOriginals.convertALPNProtocols(protocols, out);
}

/** Algorithms for the option `certificateCompression`: those that this Node's zlib has. */
export function getCertificateCompressionAlgorithms(): ('zlib' | 'brotli' | 'zstd')[] {
  const order = ['zlib', 'brotli', 'zstd'] as const;
  return order.filter((name) => certificateCompressions.some((algorithm) => algorithm.name === name));
}
