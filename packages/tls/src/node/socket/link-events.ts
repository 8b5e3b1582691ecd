import type { Duplex } from 'node:stream';
import type { TlsError } from '../../errors.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import type { Session } from '../../sessions/session.ts';
import { declined } from '../../tls12/renegotiation.ts';
import { toNodeError } from '../errors/errors.ts';
import { isOfUser } from '../errors/user-error.ts';
import { Link, type LinkOwner } from '../transport/link.ts';
import { type ConfiguredSocket, resetOf } from './configured-socket.ts';
import { buffer } from './connection-details.ts';
import type { ConnectionSession } from './connection-session.ts';
import type { SocketFacts } from './facts.ts';
import type { HandshakeSide } from './handshake-side.ts';
import type { HandshakeStart } from './handshake-start.ts';
import type { Incoming } from './incoming.ts';
import { truncate } from './truncation.ts';

/** The parts of a TLSSocket that what happens on its link concerns. */
export interface ConcernedParts {
  readonly facts: SocketFacts;
  readonly session: ConnectionSession;
  readonly side: HandshakeSide;
  readonly start: HandshakeStart;
  readonly incoming: Incoming;
}

/** What a link reports, as a TLSSocket tells it. Has the link, too. */
export class LinkEvents implements LinkOwner {
  readonly link: Link;
  readonly #socket: ConfiguredSocket;
  readonly #facts: SocketFacts;
  readonly #session: ConnectionSession;
  readonly #side: HandshakeSide;
  readonly #start: HandshakeStart;
  readonly #incoming: Incoming;

  /** @param isOwn nobody but the socket has the base. */
  constructor(socket: ConfiguredSocket, parts: ConcernedParts, base: Duplex, isOwn: boolean) {
    this.#socket = socket;
    this.#facts = parts.facts;
    this.#session = parts.session;
    this.#side = parts.side;
    this.#start = parts.start;
    this.#incoming = parts.incoming;
    this.link = new Link(base, this, isOwn);
  }

  get isServer(): boolean {
    return this.#socket._isServer;
  }

  begin(): void {
    this.#socket._start();
  }

  onSecure(info: ConnectionInfo): void {
    const socket = this.#socket;
    this.#start.clearDeadline();
    this.#facts.info = info;
    this.#session.settle(info);
    socket.alpnProtocol = info.alpnProtocol ?? false;
    socket.servername = info.serverName ?? false;
    this.#side.authorize(info);
    if (socket._tlsOptions.requestOCSP) this.#tellOfStaple(info);
    if (!socket.destroyed) socket.emit('secure');
  }

  /** Whoever does not like the response ends the connection before the server hears that it is secure. */
  #tellOfStaple({ version, resumed, ocspResponse }: ConnectionInfo): void {
    // As OpenSSL, which looks for one in TLS 1.3 in any case.
    if (resumed && version !== 'TLSv1.3') return;
    this.link.withhold(() => this.#socket.emit('OCSPResponse', buffer(ocspResponse) ?? null));
  }

  /** Renegotiated, or the client has shown its certificate. */
  onChanged(info: ConnectionInfo): void {
    this.#facts.info = info;
    this.#side.authorize(info);
    this.#socket.emit('secure');
  }

  onRenegotiationDeclined(): void {
    this.link.connection?.abort(declined());
  }

  holdSession(session: Session): void {
    this.#session.hold(session);
  }

  onSession(session: Session): void {
    this.#session.replace(session);
  }

  onData(bytes: Uint8Array): boolean {
    return this.#incoming.deliver(bytes);
  }

  onEnd(): void {
    this.#incoming.end();
  }

  onFailure(error: TlsError): void {
    // Neither does an attacker.
    if (isOfUser(error) || error.code === 'too-many-renegotiations') this.link.connection?.takeOutgoing();
    if (error.code !== 'truncated') this.#socket.destroy(toNodeError(error, this.link.isAwaited));
    else if (this.#facts.info === undefined) this.#onHangUp(error);
    else this.onTruncation(error);
  }

  /** The peer ended the connection before the handshake was complete. Who took the socket over hears that it is an error. */
  #onHangUp(cause: TlsError): void {
    const socket = this.#socket;
    socket.prependOnceListener('end', () => {
      socket.destroy(socket._controlReleased ? resetOf(socket, cause) : undefined);
    });
    this.onEnd();
  }

  get toleratesTruncation(): boolean {
    return !this.#side.strictness.closeNotify;
  }

  onTruncation(cause?: TlsError): void {
    const failure = this.#truncate(cause);
    if (failure !== undefined) this.#socket.destroy(failure);
    else if (!this.#socket.destroyed) this.onEnd();
  }

  #truncate(cause?: TlsError): Error | undefined {
    return truncate(this.#socket, !this.toleratesTruncation, cause);
  }

  onTransportError(error: Error): void {
    // A reset after both close_notify costs nothing; what came before it may still be read.
    if (!this.link.isOver) this.#socket.destroy(error);
  }

  onBaseError(error: Error): void {
    if (!this.#socket.destroyed && !this.link.isOver) this.#socket._emitTLSError(error);
  }

  /** The program has closed what is below: that is no error, but the engine knows whether something is missing. */
  onBaseClose(): void {
    const socket = this.#socket;
    const isCut = this.#facts.info !== undefined && !socket.destroyed && !this.link.isReadOver;
    socket.destroy(isCut ? this.#truncate() : undefined);
  }
}
