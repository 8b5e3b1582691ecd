import type { ConnectionInfo } from '../../handshake/result.ts';
import type { Session } from '../../sessions/session.ts';
import { sessionFromBuffer, sessionToBuffer, unnamedSession } from './sessions.ts';
import { JudgedSocket } from './ssl-view.ts';

/** The part of a TLSSocket that knows a client's session: the one to resume, then the connection's own. */
export abstract class SessionSocket extends JudgedSocket {
  #session: Session | undefined;
  #offered: Session | undefined;

  /**
   * A client's session for the option `session` of a later connection: the one that was resumed, or a newer one that the
   * server gave. With TLS 1.3, better wait for 'session'. A server's is a name for the connection and of no use.
   */
  override getSession(): Buffer<ArrayBuffer> | undefined {
    if (this.destroyed) return null as never;
    return this.#session === undefined ? undefined : this.#bytesOf(this.#session);
  }

  /** The session to resume; before the handshake starts. What is no session of ours is ignored. */
  setSession(session: Buffer | string): void {
    const bytes = typeof session === 'string' ? Buffer.from(session, 'latin1') : session;
    if (!ArrayBuffer.isView(bytes)) {
      throw Object.assign(new TypeError('Session must be a buffer'), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    const given = sessionFromBuffer(bytes);
    const hasName = given !== undefined && given.id.length + given.ticket.length > 0;
    this.#session = hasName ? given : undefined;
  }

  override getTLSTicket(): Buffer<ArrayBuffer> | undefined {
    if (this.destroyed) return null as never;
    const ticket = this.#session?.ticket;
    return ticket === undefined || ticket.length === 0 ? undefined : Buffer.from(ticket);
  }

  /** @internal What the handshake offers. */
  protected _offerSession(): Session | undefined {
    this.#offered = this.#session;
    return this.#offered;
  }

  /** @internal The handshake is complete: what was offered is the connection's session only where it was resumed. */
  protected _settleSession(info: ConnectionInfo): void {
    if (!info.resumed && this.#session === this.#offered) this.#session = undefined;
    this.#offered = undefined;
    this.#session ??= unnamedSession(info);
  }

  /** @internal */
  holdSession(session: Session): void {
    if (this.connectionInfo === undefined) this.#session = session;
  }

  /** @internal */
  onSession(session: Session): void {
    this.#session = session;
    if (this.listenerCount('session') > 0) this.emit('session', this.#bytesOf(session));
  }

  /** Whose server nobody took for good does not stand in for a verdict in another connection. */
  #bytesOf(session: Session): Buffer<ArrayBuffer> {
    return sessionToBuffer(this.authorized ? session : { ...session, peerVerified: false });
  }
}
