import { Socket, type SocketConstructorOpts } from 'node:net';
import type { TLSSocket as NodeTlsSocket } from 'node:tls';
import { handshakeTimeout } from '../errors/errors.ts';

/**
 * A net.Socket, which is a socket of `node:tls` for the compiler only: so ours goes wherever one is wanted, and what it has
 * in addition must fit, with the types of any version of Node.
 */
export const NodeSocket: (new (
  options?: SocketConstructorOpts,
) => NodeTlsSocket) &
  Omit<typeof Socket, 'prototype'> = Socket as never;

/**
 * The part of a TLSSocket that decides who hears of errors, as in Node: until somebody has taken the socket over
 * (`tls.connect` for its caller, a server when the handshake is complete) the socket listens to its own errors, and tells
 * them as '_tlsError'. One that was made by `new TLSSocket` stays so: a peer that talks nonsense does not end the program.
 */
export abstract class ErrorControl extends NodeSocket {
  /** Not documented in Node, but looked at by libraries. */
  _controlReleased = false;
  #timer: NodeJS.Timeout | undefined;

  /** @internal A server's deadline for the handshake, in milliseconds. */
  _setHandshakeTimeout(milliseconds: number): void {
    this.#timer = setTimeout(giveUp, milliseconds, this);
    this.#timer.unref();
  }

  protected stopHandshakeTimer(): void {
    clearTimeout(this.#timer);
  }

  /** The handshake has taken too long. */
  _handleTimeout(): void {
    this.destroy(handshakeTimeout());
  }

  /** To be called when the fields are there: the first listener, so that '_tlsError' comes before 'error'. */
  protected _guardErrors(): void {
    this.on('error', this._tlsError);
  }

  /** The error is the caller's from now on. False when it was already. */
  _releaseControl(): boolean {
    if (this._controlReleased) return false;
    this._controlReleased = true;
    this.removeListener('error', this._tlsError);
    return true;
  }

  /** Null when nobody has to hear of it. */
  _tlsError(error: Error): Error | null {
    this.emit('_tlsError', error);
    return this._controlReleased ? error : null;
  }

  /** Tells an error that does not end the socket by itself. */
  _emitTLSError(error: Error): void {
    const told = this._tlsError(error);
    if (told !== null) this.emit('error', told);
  }
}

function giveUp(socket: ErrorControl): void {
  socket._handleTimeout();
}
