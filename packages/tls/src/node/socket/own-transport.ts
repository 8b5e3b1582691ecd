import { Socket } from 'node:net';
import { nodeError } from '../errors/errors.ts';
import type { TLSSocketOptions } from '../types.ts';
import type { ConfiguredSocket } from './configured-socket.ts';

/**
 * Connects the transport that a TLSSocket made for itself, with the arguments of `net.Socket.connect`. Throws
 * `ERR_SOCKET_ALREADY_CONNECTED` for one that was given.
 */
export function connectTransport(socket: ConfiguredSocket, isOwn: boolean, args: readonly unknown[]): void {
  const { transport } = socket;
  if (!isOwn || !(transport instanceof Socket)) {
    throw nodeError(
      'ERR_SOCKET_ALREADY_CONNECTED',
      'this socket already has a transport: use connect() to make another',
    );
  }
  const [options] = args as [Partial<TLSSocketOptions>?];
  if (typeof options === 'object' && options !== null) {
    const { host, servername, port, path } = options;
    socket._tlsOptions = { host, servername, port, path, ...socket._tlsOptions };
  }
  const listener = args.at(-1);
  if (typeof listener === 'function') socket.once('connect', listener as () => void);
  const rest = typeof listener === 'function' ? args.slice(0, -1) : args;
  // The transport ends when we say so.
  (transport.connect as (...args: readonly unknown[]) => void)(...rest);
}
