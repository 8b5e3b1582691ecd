import type { EngineSocket } from './engine-socket.ts';

/**
 * Who hears of a TLSSocket's errors, as in Node: until somebody has taken the socket over (`tls.connect` for its caller, a
 * server when the handshake is complete) the socket listens to its own errors, and tells them as '_tlsError'. One that was
 * made by `new TLSSocket` stays so: a peer that talks nonsense does not end the program.
 */
export function guardErrors(socket: EngineSocket): void {
  // The first listener, so that '_tlsError' comes before 'error'.
  socket.on('error', socket._tlsError);
}

/** The error is the caller's from now on. False when it was already. */
export function releaseControl(socket: EngineSocket): boolean {
  if (socket._controlReleased) return false;
  socket._controlReleased = true;
  socket.removeListener('error', socket._tlsError);
  return true;
}

/** Null when nobody has to hear of it. */
export function noteError(socket: EngineSocket, error: Error): Error | null {
  socket.emit('_tlsError', error);
  return socket._controlReleased ? error : null;
}

/** Tells an error that does not end the socket by itself. */
export function tellError(socket: EngineSocket, error: Error): void {
  const told = socket._tlsError(error);
  if (told !== null) socket.emit('error', told);
}
