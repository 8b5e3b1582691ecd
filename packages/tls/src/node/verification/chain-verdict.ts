import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate, SecurityLevel, TrustStore } from '@testudo/x509';
import type { TlsError } from '../../errors.ts';
import { SYSTEM_CA_HINT } from '../as-node/running-node.ts';
import { type NodeTlsError, nodeError } from '../errors/errors.ts';
import type { Revocation } from '../material/revocation-lists.ts';

/** Whom a side trusts. */
export interface Trust {
  /** All of them, as OpenSSL keeps them. */
  readonly store: TrustStore;
  readonly anchors: TrustStore;
  /** They help to find a path, as if the peer had sent them. */
  readonly helpers: readonly Certificate[];
  /** Whether a path may end at an anchor that is no root. */
  readonly isPartial: boolean;
}

/** What a chain is judged by. */
export interface ChainDemands {
  readonly provider: CryptoProvider;
  readonly trust: () => Trust;
  /** OpenSSL's, where its rules count. */
  readonly securityLevel: SecurityLevel;
  readonly revocation?: Revocation | undefined;
}

/** The engine's error, and Node's. */
export type Problem = readonly [TlsError, Error];

/** What became of a chain. */
export interface ChainVerdict {
  readonly path: readonly Certificate[] | undefined;
  readonly problem?: Problem | undefined;
}

/** A verdict as Node tells it: with a hint where an administrator's root may be the remedy. */
export function verdictError(code: string, text: string, cause: TlsError): NodeTlsError {
  return nodeError(code, HINTED.has(code) ? text + SYSTEM_CA_HINT : text, cause);
}

const HINTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
]);
