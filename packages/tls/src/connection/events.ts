import type { TlsError } from '../errors.ts';
import type { ConnectionInfo, FalseStartInfo } from '../handshake/result.ts';
import type { Session } from '../sessions/session.ts';

/** What a connection tells its owner. Called while the owner's own call runs, or after an asynchronous answer. */
export interface ConnectionEvents {
  /** The handshake is complete: application data may be sent. */
  secure?(info: ConnectionInfo): void;
  /**
   * Client with the option `falseStart`: application data may be sent, though the server's Finished has not come (RFC 7918).
   * The certificate is verified; that nobody changed the hellos is not, and only `secure` says so. Until then nothing that
   * came is handed out, no session is either, and `info` of the connection stays undefined. `failed` may follow.
   */
  falseStart?(info: FalseStartInfo): void;
  /** Application data: a fresh view that the owner may keep. */
  data?(bytes: Uint8Array): void;
  /**
   * Server: early data, which came before the handshake is complete. Nothing proves yet that it is not a copy of what
   * came to another server (RFC 9846 §8). Without this event none is taken.
   */
  earlyData?(bytes: Uint8Array): void;
  /** Something else holds now: TLS 1.2 was renegotiated, or a client showed its certificate later (TLS 1.3). */
  changed?(info: ConnectionInfo): void;
  /** The peer does not want to renegotiate (TLS 1.2 and older): all stays as it was. */
  renegotiationDeclined?(): void;
  /** A client can resume this session later. */
  session?(session: Session): void;
  /** close_notify: the peer sends nothing more. */
  end?(): void;
  /** The connection failed; the alert, if one is due, waits in the outgoing bytes. Called once. */
  failed?(error: TlsError): void;
  /** Something changed after an asynchronous answer: take outgoing bytes, and feed again if `isBusy` was true. */
  wake?(): void;
}
