import { Socket } from 'node:net';
import { TlsError } from '../../errors.ts';
import { toNodeError } from '../errors/errors.ts';
import type { Link } from '../transport/link.ts';
import { type ConfiguredSocket, resetOf, setConnecting } from './configured-socket.ts';
import type { ConnectionSession } from './connection-session.ts';
import { earlyBytes, type HandshakeSide } from './handshake-side.ts';

/** When the handshake of a TLSSocket begins, and how long it may take. */
export class HandshakeStart {
  readonly #socket: ConfiguredSocket;
  readonly #side: HandshakeSide;
  readonly #session: ConnectionSession;
  /** For its transport to be connected. */
  #isWaiting = false;
  #isBegun: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: ConfiguredSocket, side: HandshakeSide, session: ConnectionSession) {
    this.#socket = socket;
    this.#side = side;
    this.#session = session;
    this.#isBegun = socket._tlsOptions.begins === true;
  }

  /** A client's handshake has begun, or does when the transport is connected. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** As soon as the transport is connected. */
  begin(link: Link): void {
    this.#isBegun = true;
    if (!this.#isWaiting) this.#handshake(link);
  }

  /**
   * Takes the transport as soon as it is connected, and begins, or waits for what begins it.
   *
   * @param isGiven whether the program has made it.
   */
  take(link: Link, isGiven: boolean): void {
    const { base } = link;
    // A socket that nobody told to connect yet is waited for, too.
    if (base instanceof Socket && base.pending && !base.destroyed) {
      setConnecting(this.#socket, isGiven);
      this.#isWaiting = true;
      base.once('connect', () => this.#onConnect(link));
      return;
    }
    link.take();
    if (this.#socket._isServer) this.#handshake(link);
    // The caller still has listeners to add, and may set a session or a name.
    else if (this.#isBegun) process.nextTick(() => this.#handshake(link));
    else process.nextTick(listenTo, link);
  }

  /** In milliseconds from now; a socket whose handshake is not complete by then is destroyed. */
  setDeadline(milliseconds: number): void {
    this.#timer = setTimeout(giveUp, milliseconds, this.#socket);
    this.#timer.unref();
  }

  clearDeadline(): void {
    clearTimeout(this.#timer);
  }

  #onConnect(link: Link): void {
    const socket = this.#socket;
    setConnecting(socket, false);
    link.take();
    socket.emit('connect');
    socket.emit('ready');
    this.#isWaiting = false;
    if (socket._isServer || this.#isBegun) this.#handshake(link);
    else link.listen();
  }

  #handshake(link: Link): void {
    const socket = this.#socket;
    if (socket.destroyed || link.connection !== undefined) return;
    // Closed long ago, or it will say so in this turn of the loop.
    if (link.base.destroyed) setImmediate(setImmediate, () => socket.destroy(resetOf(socket)));
    try {
      link.start(this.#side.connection(link, this.#session), earlyBytes(socket._tlsOptions));
      // As Node: from now on data goes to a listener at once, so that one that takes the socket away gets no more.
      if (!socket.destroyed) socket.read(0);
    } catch (error) {
      // Nobody called who could catch it.
      if (!(error instanceof TlsError)) throw error;
      socket.destroy(toNodeError(error));
    }
  }
}

function listenTo(link: Link): void {
  link.listen();
}

function giveUp(socket: ConfiguredSocket): void {
  socket._handleTimeout();
}
