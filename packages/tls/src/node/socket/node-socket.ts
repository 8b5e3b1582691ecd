import { Socket, type SocketConstructorOpts } from 'node:net';
import type { TLSSocket as NodeTlsSocket } from 'node:tls';

/**
 * A net.Socket, which is a socket of `node:tls` for the compiler only: so ours goes wherever one is wanted, and what it has
 * in addition must fit, with the types of any version of Node.
 */
export const NodeSocket: (new (
  options?: SocketConstructorOpts,
) => NodeTlsSocket) &
  Omit<typeof Socket, 'prototype'> = Socket as never;
