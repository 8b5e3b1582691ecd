import * as nodeTls from 'node:tls';
import type { IdentityCheck } from '../verification/identity-check.ts';

/**
 * What programs replace on the module's object to change how every connection behaves: `tls.DEFAULT_MIN_VERSION`,
 * `tls.checkServerIdentity`, `tls.createSecureContext`. Node reads them from there each time, and so do we.
 */
export interface ReplaceableMembers {
  DEFAULT_CIPHERS: string;
  DEFAULT_ECDH_CURVE: string;
  DEFAULT_MIN_VERSION: string;
  DEFAULT_MAX_VERSION: string;
  CLIENT_RENEG_LIMIT: number;
  CLIENT_RENEG_WINDOW: number;
  checkServerIdentity: IdentityCheck;
  createSecureContext: (options?: object) => unknown;
}

/** The object that programs hold as `tls`: our default export, or after `register` the one of `node:tls`. */
export const live: { tls: ReplaceableMembers | undefined } = { tls: undefined };

/** Node's class that wraps streams for `node:http2`, after `stream-wrap.ts` has found it. */
export const streamWrap: { prototype: object | undefined } = { prototype: undefined };

/** As they were before anybody replaced them: `register` puts ours in their place, and ours call these. */
export const nodeOriginals: {
  readonly checkServerIdentity: typeof nodeTls.checkServerIdentity;
  readonly createSecureContext: (options: object) => unknown;
  readonly convertALPNProtocols: (protocols: unknown, out: { ALPNProtocols?: Buffer | undefined }) => void;
  readonly rootCertificates: () => readonly string[];
  readonly DEFAULT_MIN_VERSION: string;
  readonly DEFAULT_MAX_VERSION: string;
  readonly DEFAULT_CIPHERS: string;
} = {
  checkServerIdentity: nodeTls.checkServerIdentity,
  createSecureContext: nodeTls.createSecureContext,
  convertALPNProtocols: (nodeTls as unknown as { convertALPNProtocols: never }).convertALPNProtocols,
  rootCertificates: () => nodeTls.rootCertificates,
  DEFAULT_MIN_VERSION: nodeTls.DEFAULT_MIN_VERSION,
  DEFAULT_MAX_VERSION: nodeTls.DEFAULT_MAX_VERSION,
  DEFAULT_CIPHERS: nodeTls.DEFAULT_CIPHERS,
};
