import { TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { AfterHandshake, Established } from '../handshake/result.ts';
import type { Heartbeat, HeartbeatRequest } from '../heartbeat/heartbeat.ts';
import { ConnectionFacts } from './facts.ts';

/** What the owner of an open connection can ask for, besides sending data. */
export abstract class ConnectionRequests extends ConnectionFacts {
  #bar: TlsError | undefined;

  /**
   * Negotiates anew on this connection: TLS 1.0 to 1.2, where the `renegotiation` option allows it. A client does it,
   * with `resume` (default false) by resuming the session that it has; a server asks for it. Then `changed` tells, or
   * `renegotiationDeclined`, or neither where a client passes it over. Throws `not-connected` elsewhere.
   */
  renegotiate(options: { resume?: boolean } = {}): void {
    this.begin((established) => established.renegotiate(options.resume ?? false));
  }

  /**
   * Server, up to TLS 1.2: a renegotiation ends the connection with this error from now on, whoever wanted it, and before
   * anything is answered.
   */
  barRenegotiation(error: TlsError): void {
    this.#bar = error;
  }

  /** The flow of a renegotiation that the peer begins. Throws what it is barred with. */
  protected unbarred(flow: Flow<AfterHandshake>): Flow<AfterHandshake> {
    if (this.#bar !== undefined) throw this.#bar;
    return flow;
  }

  /**
   * Server: asks for the client's certificate: in TLS 1.3 a client that offered to show one later (RFC 9846 §4.7.2), up to
   * 1.2 by renegotiation. Then `changed` tells, with the certificate or, unless it is `required` (default false), without
   * one. Throws `not-connected` where it cannot, `bad-option` without `verifyCertificate`.
   */
  requestClientCertificate(options: { required?: boolean } = {}): void {
    this.begin((established) => established.requestClientCertificate(options.required ?? false));
  }

  /**
   * Asks the peer for a sign of life (RFC 6520); `answered` is called when it comes. Throws `not-connected` where the peer
   * does not answer, in a handshake, and while one is on its way; `bad-option` when it does not fit into a record.
   */
  heartbeat(answered: () => void, request: HeartbeatRequest = {}): void {
    const { idleHeartbeat } = this;
    if (idleHeartbeat === undefined)
      throw new TlsError('not-connected', 'heartbeats need an open connection on which they were negotiated');
    idleHeartbeat.send(request, answered);
  }

  /** Runs what is to be done after the handshake. Throws `not-connected` unless the connection is open and idle. */
  protected abstract begin(what: (established: Established) => Flow<AfterHandshake> | undefined): void;

  /** Where heartbeats were agreed on, while they may flow: not during a handshake. */
  protected abstract get idleHeartbeat(): Heartbeat | undefined;
}
