import { CLIENT_RENEG_LIMIT as limit, CLIENT_RENEG_WINDOW as window } from 'node:tls';
import { nodeOriginals } from './as-node/replaceable-members.ts';
import { certificateCompressions } from './context/certificate-compression.ts';

export { connect } from './client/connect.ts';
export { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, getCiphers } from './context/ciphers.ts';
export {
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  type SecureContextOptions,
} from './context/context-options.ts';
export type { EarlyDataSettings, EngineOptions } from './context/engine-options.ts';
export type { PskClientCallback } from './context/psk.ts';
export { createSecureContext, SecureContext } from './context/secure-context.ts';
export type { Strictness, StrictOption } from './context/strictness.ts';
export { type NodeTlsError, TRUNCATED, UNSUPPORTED_OPTION } from './errors/errors.ts';
export { getCACertificates, setDefaultCACertificates } from './material/default-authorities.ts';
export { createServer, Server } from './server/server.ts';
export {
  type HeartbeatKeepAliveOptions,
  type HeartbeatOptions,
  keepAliveWithHeartbeats,
} from './socket/heartbeat.ts';
export { TLSSocket } from './socket/socket.ts';
export type {
  AlpnCallback,
  ConnectionOptions,
  PskServerCallback,
  ServerSetup,
  SniCallback,
  TLSSocketOptions,
  TlsOptions,
} from './types.ts';
export { checkServerIdentity } from './verification/identity.ts';
export type { IdentityCheck } from './verification/identity-check.ts';

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
