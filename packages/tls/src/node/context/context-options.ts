import type { SecureContextOptions as NodeSecureContextOptions, SecureVersion } from 'node:tls';
import { nodeOriginals } from '../as-node/replaceable-members.ts';
import type { EngineOptions } from './engine-options.ts';
import type { StrictOption } from './strictness.ts';

/** What `createSecureContext` takes: as `node:tls`. */
export interface SecureContextOptions
  extends Omit<NodeSecureContextOptions, keyof NewerContextOptions>,
    NewerContextOptions,
    EngineOptions {}

/** Those that older types of Node do not have. */
export interface NewerContextOptions {
  /** Take certificates in `ca` that are no roots for the end of a path. Default false: they only help to find one. */
  allowPartialTrustChain?: boolean | undefined;
  /** Names of algorithms for certificates in TLS 1.3 (RFC 8879), by preference. Default: none. */
  certificateCompression?: readonly string[] | null | undefined;
  /**
   * Where to be stricter than `node:tls`: everywhere, or by single switches. Default: nowhere, or as `TESTUDO_STRICT` in
   * the environment says. Not in `node:tls`.
   */
  strict?: StrictOption | undefined;
}

/** The lowest version that is spoken unless an option says more; Node's flags (`--tls-min-v1.3`) count. */
export const DEFAULT_MIN_VERSION: SecureVersion = nodeOriginals.DEFAULT_MIN_VERSION as SecureVersion;
/** The highest version that is spoken unless an option says less. */
export const DEFAULT_MAX_VERSION: SecureVersion = nodeOriginals.DEFAULT_MAX_VERSION as SecureVersion;
