import type { Socket, SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { wrongType } from '../errors/arguments.ts';
import type { TLSSocketOptions } from '../types.ts';
import { DescribedSocket } from './facts.ts';

/** The part of a TLSSocket that concerns the network: it goes to the transport, which need not be a socket. */
export abstract class TransportSocket extends DescribedSocket {
  /** The stream below: a net.Socket, or whatever the constructor was given. Not in `node:tls`. */
  abstract get transport(): Duplex;
  /** @internal Bytes of application data, for `bytesRead` and `bytesWritten`. */
  abstract get _traffic(): { readonly read: number; readonly written: number };

  override setNoDelay(enable?: boolean): this {
    (this.transport as Partial<Socket>).setNoDelay?.(enable);
    return this;
  }

  /** Node 26 takes an object, too, and more numbers. */
  override setKeepAlive(enable?: boolean | object, initialDelay?: number, ...more: number[]): this {
    const set = (this.transport as { setKeepAlive?: (...all: unknown[]) => void }).setKeepAlive;
    set?.call(this.transport, enable, initialDelay, ...more);
    return this;
  }

  override ref(): this {
    (this.transport as Partial<Socket>).ref?.();
    return this;
  }

  override unref(): this {
    (this.transport as Partial<Socket>).unref?.();
    return this;
  }

  /** Closes with a TCP reset where the transport can. */
  override resetAndDestroy(): this {
    (this.transport as Partial<Socket>).resetAndDestroy?.();
    return this.destroy();
  }
}

/** For the stream of a TLSSocket: it ends as what it was given does. Throws `ERR_INVALID_ARG_TYPE` for what is no stream. */
export function socketOptions(
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
