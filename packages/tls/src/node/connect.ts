import { type NetConnectOpts, connect as netConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import { unsupportedOption } from './errors.ts';
import { checkServerIdentity } from './identity.ts';
import { contextOf, sharedSecureContext } from './secure-context.ts';
import { checkFunction } from './server-settings.ts';
import { TLSSocket } from './socket.ts';
import type { ConnectionOptions } from './types.ts';

type Listener = () => void;

/**
 * Connects to a TLS server, as `tls.connect`: over TCP, a Unix socket (`path`), or any Duplex (`socket`). `listener`
 * is called on 'secureConnect'. Options may come again and again: contexts without a private key are kept.
 *
 * Unlike Node, it sends `host` in SNI when `servername` is not given: most servers need it.
 */
export function connect(options: ConnectionOptions, listener?: Listener): TLSSocket;
export function connect(
  port: number,
  host?: string,
  options?: ConnectionOptions,
  listener?: Listener,
): TLSSocket;
export function connect(port: number, options?: ConnectionOptions, listener?: Listener): TLSSocket;
export function connect(...args: readonly unknown[]): TLSSocket {
  const { options, listener } = normalize(args);
  refuseMissing(options);
  const { servername } = options;
  const host = options.host ?? (options.socket as { _host?: string } | undefined)?._host;
  const identity = servername || host || 'localhost';
  const context = contextOf(options, sharedSecureContext);
  const socket = new TLSSocket(options.socket ?? openTransport(options), {
    secureContext: context,
    allowHalfOpen: options.socket === undefined ? (options.allowHalfOpen ?? false) : options.allowHalfOpen,
    rejectUnauthorized: options.rejectUnauthorized !== false,
    checkServerIdentity:
      checkFunction('options.checkServerIdentity', options.checkServerIdentity) ?? checkServerIdentity,
    session: options.session,
    ALPNProtocols: options.ALPNProtocols,
    requestOCSP: options.requestOCSP,
    servername: servername ?? options.host,
    host: options.host,
    identity,
    port: options.port,
    path: options.path,
    localAddress: options.localAddress,
    highWaterMark: options.highWaterMark,
    signal: options.signal,
    observer: options.observer,
  });
  if (listener !== undefined) socket.once('secureConnect', listener);
  if (options.socket === undefined) {
    // Programs that measure the phases of a connection wait for it.
    socket.transport.on('lookup', (...details: unknown[]) => socket.emit('lookup', ...details));
    if (options.timeout) socket.setTimeout(options.timeout);
  }
  return socket;
}

/** Throws for what would otherwise be waited for in vain. */
function refuseMissing(options: ConnectionOptions & { onread?: unknown; pskCallback?: unknown }): void {
  if (options.onread) throw unsupportedOption('onread', "listen to 'data'");
  if (options.pskCallback) throw unsupportedOption('pskCallback', 'use certificates');
}

/** A TCP connection that leaves to us what concerns the stream: half-closing, timeouts, aborting. */
function openTransport(options: ConnectionOptions): Duplex {
  const { signal: _signal, timeout: _timeout, onread: _onread, ...rest } = options as Record<string, unknown>;
  return netConnect({ noDelay: true, ...rest, allowHalfOpen: true } as unknown as NetConnectOpts);
}

function normalize(args: readonly unknown[]): { options: ConnectionOptions; listener: Listener | undefined } {
  const options: ConnectionOptions = {};
  let listener: Listener | undefined;
  for (const [index, arg] of args.entries()) {
    if (typeof arg === 'function') listener = arg as Listener;
    else if (typeof arg === 'object' && arg !== null) Object.assign(options, arg);
    else if (index === 0 && typeof arg === 'string' && Number.isNaN(Number(arg))) options.path = arg;
    else if (index === 0) options.port = Number(arg);
    else if (index === 1 && typeof arg === 'string' && options.path === undefined) options.host = arg;
  }
  return { options, listener };
}
