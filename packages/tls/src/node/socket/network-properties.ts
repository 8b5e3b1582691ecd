import type { Socket } from 'node:net';
import type { EngineSocket } from './engine-socket.ts';

/**
 * Gives a TLSSocket the properties of net.Socket that come from its handle, taken from the transport instead. They
 * are accessors on the prototype, which TypeScript has no syntax for where the base class declares plain properties.
 */
export function installNetworkProperties(prototype: EngineSocket): void {
  for (const name of FROM_TRANSPORT) {
    define(prototype, name, (socket) => (socket.transport as Partial<Socket>)[name]);
  }
  define(prototype, 'pending', (socket) => socket.connecting || socket.destroyed);
  // Not documented, but looked at by libraries.
  define(prototype, '_secureEstablished', (socket) => socket.connectionInfo !== undefined);
  define(prototype, '_requestCert', (socket) => !socket._isServer || Boolean(socket._tlsOptions.requestCert));
  define(prototype, '_rejectUnauthorized', (socket) => Boolean(socket._tlsOptions.rejectUnauthorized));
  define(prototype, 'bufferSize', (socket) => (socket.destroyed ? undefined : socket.writableLength));
  define(prototype, 'bytesRead', (socket) => socket._traffic.read);
  define(prototype, 'bytesWritten', (socket) => socket._traffic.written);
  Object.defineProperty(prototype, 'address', {
    configurable: true,
    writable: true,
    value(this: EngineSocket) {
      return (this.transport as Partial<Socket>).address?.() ?? {};
    },
  });
}

const FROM_TRANSPORT = [
  'remoteAddress',
  'remoteFamily',
  'remotePort',
  'localAddress',
  'localPort',
  'localFamily',
  'autoSelectFamilyAttemptedAddresses',
] as const;

function define(prototype: EngineSocket, name: string, get: (socket: EngineSocket) => unknown): void {
  Object.defineProperty(prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: EngineSocket) {
      // The prototype itself is looked at, too, and has none.
      return Object.hasOwn(this, '_tlsOptions') ? get(this) : undefined;
    },
  });
}
