import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { type Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Whether a connection that is told by 'connection' is one that `server` has accepted, and that nobody but its only listener,
 * `serve`, has heard of: then the socket itself can carry the records, and no second one is made on its handle.
 */
export function isOursAlone(
  server: NetServer,
  transport: Duplex,
  serve: (transport: Duplex) => void,
): transport is Socket {
  return (
    transport instanceof Socket &&
    (transport as { server?: unknown }).server === server &&
    server.listenerCount('connection') === 1 &&
    server.listenerCount('connection', serve) === 1 &&
    server.emit === EventEmitter.prototype.emit &&
    !accepted.hasSubscribers &&
    isUntouched(transport)
  );
}

/** Programs that watch all connections hear of it after us. */
const accepted = channel('net.server.socket');

/** As net.Server has made it: a listener that was there for once is gone by now, but not what it has left on the socket. */
function isUntouched(socket: Socket): boolean {
  const { readableFlowing, readableEncoding, readableLength, writableLength, destroyed } = socket;
  const isUnused = readableFlowing === null && readableEncoding === null && !destroyed;
  return isUnused && readableLength === 0 && writableLength === 0 && socket.eventNames().length === 1;
}
