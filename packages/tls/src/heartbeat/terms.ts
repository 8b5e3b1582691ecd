import type { CryptoProvider } from '@testudo/crypto';

/**
 * What this side does with heartbeats (RFC 6520): `answer` the peer's requests, as `peer_allowed_to_send` says; or only
 * send its own (`peer_not_allowed_to_send`).
 */
export type HeartbeatMode = 'answer' | 'only-ask';

/** What the extension agreed on. */
export interface HeartbeatTerms {
  /** The peer answers requests. */
  readonly maySend: boolean;
  /** We do. */
  readonly answers: boolean;
  readonly provider: CryptoProvider;
  /** Milliseconds. */
  readonly now: () => number;
}
