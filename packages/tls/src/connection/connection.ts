import type { CommonConfig } from '../config/config.ts';
import { TlsError } from '../errors.ts';
import type { ConnectionInfo } from '../handshake/result.ts';
import type { HeartbeatRequest } from '../heartbeat/heartbeat.ts';
import type { ChannelBindingType } from './channel-bindings.ts';
import { ConnectionFacts } from './facts.ts';
import { ConnectionMachine, type ConnectionState } from './machine.ts';
import type { ConnectionSecrets } from './secrets.ts';
import type { ConnectionParts } from './side.ts';

/**
 * One TLS connection without a socket (sans-IO): feed it the transport's bytes with {@link receive}, give it
 * application data with {@link send}, and after each call write {@link takeOutgoing} to the transport.
 */
export class Connection {
  readonly #facts: ConnectionFacts;
  readonly #machine: ConnectionMachine;

  /** Use `clientConnection` and `serverConnection`. */
  constructor(config: CommonConfig, parts: ConnectionParts) {
    this.#facts = new ConnectionFacts(config);
    this.#machine = new ConnectionMachine(config, parts, this.#facts);
  }

  /** Starts the handshake: a client's ClientHello is then in the outgoing bytes. A second call does nothing. */
  start(): void {
    this.#machine.start();
  }

  /**
   * Bytes from the transport. They must not change afterwards: data may be handed out as views on them.
   *
   * @param isOwned whether they are given away, so that nobody else reads them any more: then records may be decrypted in place.
   *   Default false.
   */
  receive(chunk: Uint8Array, isOwned: boolean = false): void {
    this.#machine.receive(chunk, isOwned);
  }

  /** The transport has ended. Without close_notify before it this is a failure: `truncated`. */
  receiveEnd(): void {
    this.#machine.receiveEnd();
  }

  /**
   * Protects application data. Throws `not-connected` unless {@link maySend}: that is before the handshake is complete and
   * after close; a server that takes early data may answer it before, and a client may after a false start.
   */
  send(data: Uint8Array): void {
    this.#machine.send(data);
  }

  /**
   * Client: sends data with the first flight, before the server has answered (0-RTT). It has no forward secrecy and may
   * come to the server more than once (RFC 9846 §8): only for what may be done twice. When `info.earlyData` says
   * `rejected` later, none of it has arrived. Throws `not-connected` for more than {@link earlyDataLeft}.
   */
  sendEarlyData(data: Uint8Array): void {
    this.#machine.sendEarlyData(data);
  }

  /** Client: bytes of early data that may be sent now; 0 before `start`, without a session for it, and after its time. */
  get earlyDataLeft(): number {
    return this.#machine.earlyDataLeft;
  }

  /** Ends what we send with close_notify. What the peer sends still arrives, until its own. */
  close(): void {
    this.#machine.close();
  }

  /** Gives the connection up: the peer is sent the alert that fits. Does nothing when it is over already. */
  abort(error: TlsError = new TlsError('aborted', 'the connection was aborted on this side')): void {
    this.#machine.abort(error);
  }

  /** Replaces our keys by a KeyUpdate, and asks the peer to replace its own. TLS 1.3, else throws `not-connected`. */
  updateKeys(options: { requestPeer: boolean } = { requestPeer: true }): void {
    this.#machine.updateKeys(options.requestPeer);
  }

  /**
   * Negotiates anew on this connection: TLS 1.0 to 1.2, where the `renegotiation` option allows it. A client does it,
   * with `resume` (default false) by resuming the session that it has; a server asks for it. Then `changed` tells, or
   * `renegotiationDeclined`, or neither where a client passes it over. Throws `not-connected` elsewhere.
   */
  renegotiate(options: { resume?: boolean } = {}): void {
    this.#machine.begin((established) => established.renegotiate(options.resume ?? false));
  }

  /**
   * Server, up to TLS 1.2: a renegotiation ends the connection with this error from now on, whoever wanted it, and before
   * anything is answered.
   */
  barRenegotiation(error: TlsError): void {
    this.#machine.barRenegotiation(error);
  }

  /**
   * Server: asks for the client's certificate: in TLS 1.3 a client that offered to show one later (RFC 9846 §4.7.2), up to
   * 1.2 by renegotiation. Then `changed` tells, with the certificate or, unless it is `required` (default false), without
   * one. Throws `not-connected` where it cannot, `bad-option` without `verifyCertificate`.
   */
  requestClientCertificate(options: { required?: boolean } = {}): void {
    this.#machine.begin((established) => established.requestClientCertificate(options.required ?? false));
  }

  /**
   * Asks the peer for a sign of life (RFC 6520); `answered` is called when it comes. Throws `not-connected` where the peer
   * does not answer, in a handshake, and while one is on its way; `bad-option` when it does not fit into a record.
   */
  heartbeat(answered: () => void, request: HeartbeatRequest = {}): void {
    const { idleHeartbeat } = this.#machine;
    if (idleHeartbeat === undefined)
      throw new TlsError('not-connected', 'heartbeats need an open connection on which they were negotiated');
    idleHeartbeat.send(request, answered);
  }

  /** Everything that waits for the transport; undefined when nothing does. */
  takeOutgoing(): Uint8Array | undefined {
    return this.#machine.takeOutgoing();
  }

  /** Whether {@link send} takes data now. */
  get maySend(): boolean {
    return this.#machine.maySend;
  }

  /** Length of what waits for the transport, in bytes. */
  get outgoingLength(): number {
    return this.#machine.outgoingLength;
  }

  /** Bytes given to {@link send} that wait for the end of a renegotiation: better give no more until `changed`. */
  get heldLength(): number {
    return this.#machine.heldLength;
  }

  /** True while the handshake waits for an answer from this side: better feed nothing until `wake`. */
  get isBusy(): boolean {
    return this.#machine.isBusy;
  }

  /** Server: the name in the client's hello, as soon as it was read; undefined where there is none. */
  get requestedName(): string | undefined {
    return this.#machine.requestedName;
  }

  get state(): ConnectionState {
    return this.#machine.state;
  }

  /** True when the peer's close_notify came. */
  get isReadClosed(): boolean {
    return this.#machine.isReadClosed;
  }

  /** True after {@link close}. */
  get isWriteClosed(): boolean {
    return this.#machine.isWriteClosed;
  }

  /** What was agreed on; undefined until the handshake is complete. */
  get info(): ConnectionInfo | undefined {
    return this.#facts.info;
  }

  /**
   * Keying material for another protocol (RFC 5705 §4, RFC 9846 §7.5); `length` in bytes. Throws `not-connected` before the
   * handshake is complete, `export-refused` up to TLS 1.2 without extended master secret; after a false start it may be had, and
   * is as good as what is sent then.
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    return this.#facts.exportKeyingMaterial(length, label, context);
  }

  /** Keying material that goes with early data (RFC 9846 §7.5). Throws `not-connected` where none was sent or taken. */
  exportEarlyKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    return this.#machine.exportEarlyKeyingMaterial(length, label, context);
  }

  /**
   * What binds an authentication above to this connection (RFC 5929, RFC 9266), as SCRAM-PLUS wants it. Undefined where it
   * could be that of another connection, too, or is not defined: `tls-unique` in TLS 1.3, and after a resumption or
   * renegotiation without extended master secret; `tls-exporter` without extended master secret, and where renegotiation is
   * enabled; `tls-server-end-point` without certificate, with one that is signed with no hash (EdDSA), and on a server that resumed
   * a session. Throws `not-connected` before the handshake is complete, and for `tls-exporter` when the connection is over.
   */
  channelBinding(type: ChannelBindingType): Uint8Array | undefined {
    return this.#facts.channelBinding(type);
  }

  /**
   * The keys that are in use, copied, and the sequence numbers: only with the option `exposeSecrets`, and only while the
   * connection is open. Otherwise undefined.
   */
  get secrets(): ConnectionSecrets | undefined {
    return this.#facts.secrets;
  }
}
