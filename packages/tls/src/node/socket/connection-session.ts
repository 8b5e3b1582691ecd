import type { ConnectionInfo } from '../../handshake/result.ts';
import type { Session } from '../../sessions/session.ts';
import type { EngineSocket } from './engine-socket.ts';
import { sessionFromBuffer, sessionToBuffer, unnamedSession } from './sessions.ts';

/** The session of a TLSSocket: a client's one to resume, then the connection's own. */
export class ConnectionSession {
  readonly #socket: EngineSocket;
  #session: Session | undefined;
  #offered: Session | undefined;

  constructor(socket: EngineSocket) {
    this.#socket = socket;
  }

  /** As `getSession` gives it. */
  bytes(): Buffer<ArrayBuffer> | undefined {
    if (this.#socket.destroyed) return null as never;
    return this.#session === undefined ? undefined : this.#bytesOf(this.#session);
  }

  ticket(): Buffer<ArrayBuffer> | undefined {
    if (this.#socket.destroyed) return null as never;
    const ticket = this.#session?.ticket;
    return ticket === undefined || ticket.length === 0 ? undefined : Buffer.from(ticket);
  }

  /** The one to resume. What is no session of ours is ignored; throws for what is no buffer. */
  set(session: Buffer | string): void {
    const bytes = typeof session === 'string' ? Buffer.from(session, 'latin1') : session;
    if (!ArrayBuffer.isView(bytes)) {
      throw Object.assign(new TypeError('Session must be a buffer'), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    const given = sessionFromBuffer(bytes);
    const hasName = given !== undefined && given.id.length + given.ticket.length > 0;
    this.#session = hasName ? given : undefined;
  }

  /** What the handshake offers. */
  offer(): Session | undefined {
    this.#offered = this.#session;
    return this.#offered;
  }

  /** The handshake is complete: what was offered is the connection's session only where it was resumed. */
  settle(info: ConnectionInfo): void {
    if (!info.resumed && this.#session === this.#offered) this.#session = undefined;
    this.#offered = undefined;
    this.#session ??= unnamedSession(info);
  }

  /** One came with the handshake. */
  hold(session: Session): void {
    if (this.#socket.connectionInfo === undefined) this.#session = session;
  }

  /** The server gave a newer one. */
  replace(session: Session): void {
    this.#session = session;
    if (this.#socket.listenerCount('session') > 0) this.#socket.emit('session', this.#bytesOf(session));
  }

  /** Whose server nobody took for good does not stand in for a verdict in another connection. */
  #bytesOf(session: Session): Buffer<ArrayBuffer> {
    return sessionToBuffer(this.#socket.authorized ? session : { ...session, peerVerified: false });
  }
}
