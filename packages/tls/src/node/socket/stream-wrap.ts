import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';
import { streamWrap } from '../as-node/replaceable-members.ts';
import { TLSSocket } from './socket.ts';

/**
 * `node:http2` puts sockets without a handle of their own, and so ours, into a wrapper (Node's JSStreamSocket), and
 * then shows that as the session's socket: it knows nothing of certificates, ALPN or addresses, nor does it tell the
 * end of a handshake, which it is listened to for. This makes a TLSSocket of each wrapper of one of our sockets: it has
 * our class, so that `instanceof` knows it, answers with what our socket says, and streams as Node's wrapper does.
 *
 * The class is internal; the one thing that it does with every stream is to keep it as `this.stream`.
 */
export function adaptStreamWrap(): void {
  if (isAdapted) return;
  isAdapted = true;
  const prototype = streamWrapClass()?.prototype;
  if (prototype === undefined) return;
  streamWrap.prototype = prototype;
  const ours = tlsWrapPrototype(prototype);
  Object.defineProperty(prototype, 'stream', {
    configurable: true,
    set(this: Socket, stream: Duplex) {
      Object.defineProperty(this, 'stream', {
        value: stream,
        configurable: true,
        enumerable: true,
        writable: true,
      });
      if (stream instanceof TLSSocket) adapt(this, stream, ours);
    },
  });
}

let isAdapted = false;

function adapt(wrap: Socket, socket: TLSSocket, prototype: object): void {
  Object.setPrototypeOf(wrap, prototype);
  // The end of a handshake has two names: code that does not know our class asks for the first.
  socket.once('secureConnect', () => {
    wrap.emit('connect');
    wrap.emit('secureConnect');
  });
  for (const event of ['session', 'keylog', 'timeout', 'OCSPResponse', 'truncated']) {
    socket.on(event, (...details: unknown[]) => wrap.emit(event, ...details));
  }
}

/** Our class with Node's wrapper in it: all that makes the stream is the wrapper's, the rest is asked of our socket. */
function tlsWrapPrototype(wrapper: object): object {
  const prototype = Object.create(TLSSocket.prototype) as object;
  for (const name of FIELDS) define(prototype, name);
  for (let one: object = TLSSocket.prototype; one !== Socket.prototype; one = Object.getPrototypeOf(one)) {
    for (const name of Reflect.ownKeys(one)) {
      if (STREAM.has(name)) Object.defineProperty(prototype, name, inherited(Socket.prototype, name));
      else if (name !== 'constructor') define(prototype, name);
    }
  }
  for (const name of Reflect.ownKeys(wrapper)) {
    if (name === 'constructor' || name === 'stream') continue;
    Object.defineProperty(prototype, name, Object.getOwnPropertyDescriptor(wrapper, name)!);
  }
  return prototype;
}

/** What our sockets have by themselves and not from their class. */
const FIELDS = [
  ...['secureConnecting', 'encrypted', 'authorized', 'authorizationError', 'alpnProtocol', 'servername'],
  ...['truncated', 'server', '_controlReleased'],
] as const;

/** What our class replaces of net.Socket's to be a stream without a handle: the wrapper has one. */
const STREAM: ReadonlySet<string | symbol> = new Set([
  ...['_read', '_write', '_writev', '_final', '_destroy', 'destroy', 'pause', 'resume', 'connect'],
]);

type Wrap = { readonly stream: Record<string | symbol, unknown> };

function define(prototype: object, name: string | symbol): void {
  Object.defineProperty(prototype, name, {
    configurable: true,
    enumerable: false,
    get(this: Wrap): unknown {
      const value = this.stream[name];
      return typeof value === 'function' ? value.bind(this.stream) : value;
    },
    // As of any property: the wrapper's own from now on.
    set(this: Wrap, value: unknown) {
      Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
    },
  });
}

function inherited(prototype: object, name: string | symbol): PropertyDescriptor {
  let one = prototype;
  while (!Object.hasOwn(one, name)) one = Object.getPrototypeOf(one);
  return Object.getOwnPropertyDescriptor(one, name)!;
}

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
