import type { Socket } from 'node:net';

/** Milliseconds that the other side gets to close its end, too. */
const GRACE = 2_000;

/**
 * Ends a connection from our side: with close_notify over TLS (RFC 9846 §6.1) and the end of the stream, so that the peer
 * knows an end from an attack. What was written goes first; what comes is thrown away. Who does not close within
 * `grace` milliseconds is cut off.
 */
export function farewell(socket: Socket, grace: number = GRACE): void {
  if (socket.destroyed) return;
  if (!socket.writableEnded) socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), grace);
  socket.once('close', () => clearTimeout(timer));
}
