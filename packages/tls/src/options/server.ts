import type { Credential } from '../certificates/credential.ts';
import type { CertificateVerifier } from '../certificates/verdict.ts';
import type { EchKey } from '../ech/keys.ts';
import type { ExternalPsk, PskLookup } from '../psk/external-psk.ts';
import type { ClientHelloInfo } from '../requests.ts';
import type { ReplayGuard } from '../sessions/replay-guard.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { TicketSealer } from '../sessions/ticket-keys.ts';
import type { CommonOptions } from './common.ts';
import type { ServerFeatureOptions } from './features.ts';

/** An empty list is for a name that is not served here; undefined for a server that has no certificate at all. */
export type CredentialChooser = (
  hello: ClientHelloInfo,
) => readonly Credential[] | undefined | Promise<readonly Credential[] | undefined>;

export interface ServerOptions extends CommonOptions, ServerFeatureOptions {
  /** The credentials, or what chooses them by name. The first that fits the client is used. */
  readonly credentials: readonly Credential[] | CredentialChooser;
  /** The key that a client names (PSK). Default: none is known. */
  readonly findPsk?:
    | ((lookup: PskLookup) => ExternalPsk | undefined | Promise<ExternalPsk | undefined>)
    | undefined;
  /** Up to TLS 1.2: tells a client which of its keys to name (RFC 4279 §5.2). Default: nothing. */
  readonly pskIdentityHint?: Uint8Array | undefined;
  /**
   * Keys for Encrypted Client Hello (RFC 9849): new ones, and old ones that clients may still have. `credentials` must hold
   * a certificate for each public name. Default: none; then what clients send of it is passed over.
   */
  readonly echKeys?: readonly EchKey[] | undefined;
  /** Try all keys, whatever key the client says that it used: for clients that hide it. Costs time. Default false. */
  readonly echTrialDecryption?: boolean | undefined;
  /**
   * Take inner hellos as they are: for a server behind another one that decrypts them (split mode, RFC 9849 §7.2). Default
   * false: nobody else may send them.
   */
  readonly echBackend?: boolean | undefined;
  /**
   * Application protocols by preference (ALPN); or a chooser. Without a common one the handshake fails; a chooser that
   * answers null goes on without a protocol. Default: none.
   */
  readonly alpnProtocols?:
    | readonly string[]
    | ((hello: ClientHelloInfo) => string | null | undefined | Promise<string | null | undefined>)
    | undefined;
  /** `none`, `request`, or `require`: then a client without one is refused. Default `none`. */
  readonly clientCertificate?: 'none' | 'request' | 'require' | undefined;
  /** Decides on the client's certificate; this or `verifyRawPublicKey` is needed unless `clientCertificate` is `none`. */
  readonly verifyCertificate?: CertificateVerifier | undefined;
  /** Distinguished names (DER) of the CAs that may have issued the client's certificate. Default: not said. */
  readonly certificateAuthorities?: readonly Uint8Array[] | undefined;
  /** Seals tickets; false for none. Default: none is given, no tickets. */
  readonly tickets?: TicketSealer | false | undefined;
  /**
   * Take early data (0-RTT). It has no forward secrecy, and a copy of it may reach another server that shares the ticket
   * keys (RFC 9846 §8). Default: refused.
   */
  readonly earlyData?: EarlyDataOptions | undefined;
  /** Tickets after a full TLS 1.3 handshake, 0 to 8. Default 2. One that resumes is followed by one at most. */
  readonly ticketCount?: number | undefined;
  /**
   * A client that resumes gets a ticket for the one that it has used up. False leaves it with those it has, and sessions then
   * end with the lifetime of the first. Default true.
   */
  readonly renewTickets?: boolean | undefined;
  /** Keeps TLS 1.2 sessions by ID. Default: none. */
  readonly sessionStore?: SessionStore | undefined;
  /** Seconds for which a session can be resumed, at most 604,800. Default 86,400. */
  readonly sessionLifetime?: number | undefined;
  /** Follow our order of suites and groups rather than the client's. Default true. */
  readonly preferServerOrder?: boolean | undefined;
  /** Serve a TLS 1.2 client without extended master secret. Default true. */
  readonly allowNoExtendedMasterSecret?: boolean | undefined;
}

export interface EarlyDataOptions {
  /** Most bytes in one connection, 1 to 2^32 - 1. Default 16,384. */
  readonly maxBytes?: number | undefined;
  /** Default: a {@link MemoryReplayGuard} of this configuration. Servers that share ticket keys must share one. */
  readonly replayGuard?: ReplayGuard | undefined;
  /**
   * Milliseconds by which the age of a ticket, as the client states it, may differ from what we see (RFC 9846 §8.3), up to
   * 600,000: a replay guard has to remember for twice as long. Default 10,000.
   */
  readonly ageTolerance?: number | undefined;
  /** Decides for one connection. Default: accepted. */
  readonly accept?: ((hello: ClientHelloInfo) => boolean | Promise<boolean>) | undefined;
}
