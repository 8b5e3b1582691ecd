import type { SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { wrongType } from '../errors/arguments.ts';
import type { TLSSocketOptions } from '../types.ts';

/** For the stream of a TLSSocket: it ends as what it was given does. Throws `ERR_INVALID_ARG_TYPE` for what is no stream. */
export function streamOptions(
  transport: Duplex | null | undefined,
  options: TLSSocketOptions,
): SocketConstructorOpts {
  if (transport && typeof transport.pause !== 'function') {
    throw wrongType('socket', 'an instance of Duplex', transport);
  }
  const isGiven = transport && options.ownsTransport !== true;
  const made: SocketConstructorOpts & { highWaterMark?: number } = {
    allowHalfOpen: Boolean((isGiven ? transport : options).allowHalfOpen),
  };
  if (options.highWaterMark !== undefined) made.highWaterMark = options.highWaterMark;
  return made;
}
