import type { SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { wrongType } from '../errors/arguments.ts';
import type { TLSSocketOptions } from '../types.ts';

/**
 * For the stream of a TLSSocket; undefined for one like most. Node copies what it is given, and on Node 20, whose V8 makes a hidden
 * class for each such copy, a socket without options is made in a tenth of the time. Throws `ERR_INVALID_ARG_TYPE` for a
 * transport that is no stream.
 */
export function streamOptions(
  transport: Duplex | null | undefined,
  { highWaterMark }: TLSSocketOptions,
): SocketConstructorOpts | undefined {
  if (transport && typeof transport.pause !== 'function') {
    throw wrongType('socket', 'an instance of Duplex', transport);
  }
  return highWaterMark === undefined ? undefined : ({ highWaterMark } as SocketConstructorOpts);
}

/** It ends as what it was given does, or was accepted as. */
export function staysHalfOpen(transport: Duplex | null | undefined, options: TLSSocketOptions): boolean {
  const isGiven = transport && (options.isServer || options.ownsTransport !== true);
  return Boolean((isGiven ? transport : options).allowHalfOpen);
}
