import { rootCertificates as nodeRoots } from 'node:tls';

export { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, getCiphers } from './ciphers.ts';
export { connect } from './connect.ts';
export { DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION, type SecureContextOptions } from './context-options.ts';
export { type NodeTlsError, TRUNCATED, UNSUPPORTED_OPTION } from './errors.ts';
export { checkServerIdentity } from './identity.ts';
export { createSecureContext, SecureContext } from './secure-context.ts';
export { createServer, Server } from './server.ts';
export type { ServerSettings } from './server-settings.ts';
export { TLSSocket } from './socket.ts';
export type { AlpnCallback, ConnectionOptions, SniCallback, TLSSocketOptions, TlsOptions } from './types.ts';
export type { IdentityCheck } from './verification.ts';

/** The roots that come with Node (Mozilla's list), PEM: trusted where the option `ca` is not given. */
export const rootCertificates: readonly string[] = nodeRoots;
