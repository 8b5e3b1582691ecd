import { captureRejectionSymbol } from 'node:events';
import { Server as NetServer, type ServerOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext as NodesContext, Server as NodeTlsServer } from 'node:tls';
import { callable } from '../as-node/callable.ts';
import { nodeOriginals } from '../as-node/replaceable-members.ts';
import type { SecureContextOptions } from '../context/context-options.ts';
import type { SecureContext } from '../context/secure-context.ts';
import { wrongType } from '../errors/arguments.ts';
import type { TLSSocket } from '../socket/socket.ts';
import type { TlsOptions } from '../types.ts';
import { Acceptor } from './acceptor.ts';
import { isOursAlone } from './own-connection.ts';

type SecureListener = (socket: TLSSocket) => void;

/** By type a server of `node:tls`, as the sockets are: in fact a net.Server. */
const NodeServer: (new (options?: ServerOpts) => NodeTlsServer) & Omit<typeof NetServer, 'prototype'> =
  NetServer as never;

/**
 * A TLS server with the API of `tls.Server`. It emits 'secureConnection' with each TLSSocket, and 'tlsClientError'
 * with the error and the socket for a handshake that failed. Other streams than its own TCP connections are served
 * by `server.emit('connection', duplex)`.
 */
class TlsServer extends NodeServer {
  constructor(options?: TlsOptions | SecureListener | null, listener?: SecureListener) {
    super(transportOptions(optionsOf(options)));
    prepare(this, options, listener);
  }

  /** Serves another certificate from now on; connections that are open keep theirs. */
  override setSecureContext(options: SecureContextOptions | SecureContext | NodesContext): void {
    acceptorOf(this).setSecureContext(options);
  }

  /** A certificate for a name; `*` stands for one label. Of several that fit, the one that was added last counts. */
  override addContext(hostname: string, context: SecureContextOptions | SecureContext | NodesContext): void {
    acceptorOf(this).addContext(hostname, context);
  }

  /** The key that seals tickets, 48 bytes. */
  override getTicketKeys(): Buffer<ArrayBuffer> {
    return acceptorOf(this).getTicketKeys();
  }

  /** Replaces the key; tickets under older ones are no longer taken. Such a key is not rotated: its owner does. */
  override setTicketKeys(keys: Uint8Array): void {
    acceptorOf(this).setTicketKeys(keys);
  }

  /** What `node:cluster` tells all workers that listen at the same address, so that they take each other's tickets. */
  _getServerData(): ServerData {
    return { ticketKeys: this.getTicketKeys().toString('hex') };
  }

  _setServerData({ ticketKeys }: ServerData): void {
    this.setTicketKeys(Buffer.from(ticketKeys, 'hex'));
  }
}

/** It goes from process to process, as JSON. */
interface ServerData {
  readonly ticketKeys: string;
}

type Capture = (this: NetServer, error: Error, event: string, ...details: unknown[]) => void;
const { [captureRejectionSymbol]: capture } = NetServer.prototype as unknown as Record<symbol, Capture>;

/** With `events.captureRejections`: an async handler that rejects costs its own connection, not the program. */
const captureRejection: Capture = function (error, event, ...details) {
  if (event === 'secureConnection') (details[0] as TLSSocket).destroy(error);
  else capture!.call(this, error, event, ...details);
};
// Not in the class: a declaration cannot name what another module computes.
Object.defineProperty(TlsServer.prototype, captureRejectionSymbol, {
  value: captureRejection,
  configurable: true,
  writable: true,
});

export type Server = TlsServer;

/** As in Node, it may be called without `new`, and on a server that was made by another class. */
export const Server: typeof TlsServer &
  ((options?: TlsOptions | SecureListener | null, listener?: SecureListener) => Server) = callable(
  TlsServer,
  {
    isMade: (self) => self instanceof NetServer,
    prepare: (self, options, listener) => {
      NetServer.call(self, transportOptions(optionsOf(options)));
      prepare(self, options, listener);
    },
  },
);
Object.defineProperty(Server, 'name', { value: 'Server' });

/** A TLS server; `listener` is called with each connection whose handshake is complete. */
export function createServer(
  options?: TlsOptions | SecureListener | null,
  listener?: SecureListener,
): Server {
  return new Server(options, listener);
}

/** Methods that a server of another class needs, besides having been prepared by `Server.call`. */
export const SERVER_METHODS = [
  'setSecureContext',
  'addContext',
  'getTicketKeys',
  'setTicketKeys',
  '_getServerData',
  '_setServerData',
] as const;

const ACCEPTOR: unique symbol = Symbol('testudo acceptor');
type Accepting = NetServer & { [ACCEPTOR]?: Acceptor };

function acceptorOf(server: NetServer): Acceptor {
  return (server as Accepting)[ACCEPTOR]!;
}

function prepare(
  server: NetServer,
  options: TlsOptions | SecureListener | null | undefined,
  listener: SecureListener | undefined,
): void {
  const given = optionsOf(options);
  Object.defineProperty(server, ACCEPTOR, { value: new Acceptor(server, given) });
  // Public in Node, if by accident only.
  Object.assign(server, {
    requestCert: given.requestCert === true,
    rejectUnauthorized: given.rejectUnauthorized !== false,
    ALPNCallback: given.ALPNCallback,
    ...(given.ALPNProtocols ? { ALPNProtocols: alpnBytes(given.ALPNProtocols) } : {}),
  });
  const onSecure = typeof options === 'function' ? options : listener;
  if (onSecure) server.on('secureConnection', onSecure);
  server.on('connection', serve);
}

function alpnBytes(protocols: TlsOptions['ALPNProtocols']): Buffer | undefined {
  const out: { ALPNProtocols?: Buffer | undefined } = {};
  nodeOriginals.convertALPNProtocols(protocols, out);
  return out.ALPNProtocols;
}

function serve(this: NetServer, transport: Duplex): void {
  acceptorOf(this).serve(transport, isOursAlone(this, transport, serve));
}

function optionsOf(options: TlsOptions | SecureListener | null | undefined): TlsOptions {
  if (typeof options === 'function' || options === undefined || options === null) return {};
  if (typeof options !== 'object') throw wrongType('options', 'of type object', options);
  return options;
}

/**
 * Small records are joined here already, and TCP would hold back an answer until the tickets before it are acknowledged: 40 ms,
 * often.
 */
function transportOptions(options: TlsOptions): object {
  return { noDelay: true, ...options };
}
