import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';
import { streamWrap } from './live.ts';
import { TLSSocket } from './socket.ts';

/**
 * `node:http2` puts sockets without a handle of their own, and so ours, into a wrapper (Node's JSStreamSocket), and
 * then shows that as the session's socket: it knows nothing of certificates, ALPN or addresses, nor does it tell the
 * end of a handshake, which it is listened to for. This gives each wrapper of one of our sockets what it lacks.
 *
 * The class is internal; the one thing that it does with every stream is to keep it as `this.stream`.
 */
export function adaptStreamWrap(): void {
  if (isAdapted) return;
  isAdapted = true;
  const prototype = streamWrapClass()?.prototype;
  if (prototype === undefined) return;
  streamWrap.prototype = prototype;
  Object.defineProperty(prototype, 'stream', {
    configurable: true,
    set(this: Socket, stream: Duplex) {
      Object.defineProperty(this, 'stream', {
        value: stream,
        configurable: true,
        enumerable: true,
        writable: true,
      });
      if (stream instanceof TLSSocket) adapt(this, stream);
    },
  });
}

let isAdapted = false;

function adapt(wrap: Socket, socket: TLSSocket): void {
  Object.defineProperties(wrap, DESCRIPTORS);
  // The end of a handshake has two names: the wrapper is no TLSSocket, so it is asked for the first.
  socket.once('secureConnect', () => {
    wrap.emit('connect');
    wrap.emit('secureConnect');
  });
  for (const event of ['session', 'keylog', 'timeout', 'OCSPResponse', 'truncated']) {
    socket.on(event, (...details: unknown[]) => wrap.emit(event, ...details));
  }
}

const MEMBERS = [
  ...[
    'secureConnecting',
    'encrypted',
    'authorized',
    'authorizationError',
    'alpnProtocol',
    'servername',
    'truncated',
  ],
  ...['remoteAddress', 'remoteFamily', 'remotePort', 'localAddress', 'localFamily', 'localPort', 'address'],
  ...['getPeerCertificate', 'getPeerX509Certificate', 'getCertificate', 'getX509Certificate', 'getCipher'],
  ...[
    'getProtocol',
    'getSession',
    'getTLSTicket',
    'isSessionReused',
    'getEphemeralKeyInfo',
    'getSharedSigalgs',
  ],
  ...['getFinished', 'getPeerFinished', 'exportKeyingMaterial', 'setMaxSendFragment', 'disableRenegotiation'],
  ...['connectionInfo', 'transport', 'setNoDelay', 'setKeepAlive', 'ref', 'unref'],
] as const;

type Wrap = { readonly stream: Record<string, unknown> };

const DESCRIPTORS: PropertyDescriptorMap = Object.fromEntries(
  MEMBERS.map((name) => [
    name,
    {
      configurable: true,
      enumerable: false,
      get(this: Wrap): unknown {
        const value = this.stream[name];
        return typeof value === 'function' ? value.bind(this.stream) : value;
      },
    },
  ]),
);

/** An instance leads to it: Node's own TLSSocket has one when it stands on a stream that is no socket. */
function streamWrapClass(): { readonly prototype: object } | undefined {
  const below = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const socket = new NodesTlsSocket(below, { secureContext: nodesContext() });
  const wrap = (socket as { _handle?: { _parentWrap?: object } })._handle?._parentWrap;
  socket.on('error', () => {});
  socket.destroy();
  return wrap?.constructor as { readonly prototype: object } | undefined;
}

// As they were before `register`.
const { TLSSocket: NodesTlsSocket, createSecureContext: nodesContext } = nodeTls;
