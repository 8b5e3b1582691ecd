import { connectionReset } from '../errors/errors.ts';
import type { TLSSocketOptions } from '../types.ts';
import type { EngineSocket } from './engine-socket.ts';

/** A TLSSocket with all of its options: for the parts that no type of an option knows. */
export interface ConfiguredSocket extends EngineSocket {
  /** @internal As they are now: some may be set, or come with `connect`. */
  _tlsOptions: TLSSocketOptions;
}

/** Node's error for a peer that has gone, with where a client was to find it. */
export function resetOf({ _tlsOptions: options }: ConfiguredSocket, cause?: unknown): Error {
  const { isServer, host, port, path, localAddress } = options;
  if (isServer) return connectionReset('server', cause);
  return Object.assign(connectionReset('client', cause), { path, host, port, localAddress });
}

/** As net.Socket has it, which Node's types say could not be set. */
export function setConnecting(socket: EngineSocket, connecting: boolean): void {
  (socket as { connecting: boolean }).connecting = connecting;
}
