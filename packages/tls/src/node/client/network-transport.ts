import { channel } from 'node:diagnostics_channel';
import { type NetConnectOpts, Socket, type SocketConstructorOpts, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { IGNORES_KEEP_ALIVE_DELAY } from '../as-node/running-node.ts';
import type { TLSSocket } from '../socket/socket.ts';
import type { ConnectionOptions } from '../types.ts';

/** A TCP connection that leaves to us what concerns the stream: half-closing, timeouts, aborting. */
export function openTransport(options: ConnectionOptions): Duplex {
  const socket = concernsNoStream(options) ? plainSocket() : new Socket(streamSettings(options));
  return connectUntold(socket, options as NetConnectOpts);
}

/** Tells on a TLSSocket what its own transport tells: whoever watches it, and programs that measure the phases of a connection. */
export function passOn(socket: TLSSocket): void {
  if (opened.hasSubscribers) opened.publish({ socket });
  const transport = socket.transport as WatchedTransport;
  transport[WATCHER] = socket;
  for (const [event, listener] of LISTENERS) transport.on(event, listener);
}

/** As Node tells who watches its sockets. */
const opened = channel('net.client.socket');

const WATCHER: unique symbol = Symbol('testudo socket');
type WatchedTransport = Duplex & { [WATCHER]?: TLSSocket };

/** The same for all connections: no closure for each. */
const LISTENERS = ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout'].map(
  (event) =>
    [
      event,
      function (this: WatchedTransport, ...details: unknown[]): void {
        this[WATCHER]!.emit(event, ...details);
      },
    ] as const,
);

/**
 * A socket that is made without options takes a tenth of the time on Node 20: its V8 makes a hidden class of its own for each
 * copy of an object that Node takes, and nothing that is read from it is found at once.
 */
function plainSocket(): Socket {
  const socket = new Socket();
  socket.allowHalfOpen = true;
  return socket.setNoDelay(true);
}

/** Of an option that is not listed below the socket's constructor may want to know. */
function concernsNoStream(options: ConnectionOptions): boolean {
  for (const name in options) {
    if (!OTHERS.has(name)) return false;
  }
  return true;
}

/** Options that `connect` of a net.Socket looks at, and not its constructor, and those of TLS. */
const OTHERS: ReadonlySet<string> = new Set<keyof ConnectionOptions>([
  'host',
  'port',
  'path',
  'localAddress',
  'localPort',
  'family',
  'lookup',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'timeout',
  'allowHalfOpen',
  'servername',
  'secureContext',
  'session',
  'ca',
  'cert',
  'key',
  'ciphers',
  'ecdhCurve',
  'sigalgs',
  'minVersion',
  'maxVersion',
  'ALPNProtocols',
  'rejectUnauthorized',
  'checkServerIdentity',
  'minDHSize',
]);

function streamSettings(options: ConnectionOptions): SocketConstructorOpts {
  const { signal: _signal, timeout: _timeout, onread: _onread, ...rest } = options as Record<string, unknown>;
  if (IGNORES_KEEP_ALIVE_DELAY && typeof rest['keepAliveInitialDelay'] !== 'number')
    delete rest['keepAliveInitialDelay'];
  return { noDelay: true, ...rest, allowHalfOpen: true } as SocketConstructorOpts;
}

/** Diagnostics are not told of it, neither by `net.connect` nor, from Node 25, by the socket: who watches is to see ours, once. */
function connectUntold(socket: Socket, settings: NetConnectOpts): Socket {
  if (!opened.hasSubscribers) return socket.connect(settings as TcpNetConnectOpts);
  const publish = (message: unknown): void => {
    if ((message as { socket?: unknown }).socket !== socket) channelPublish.call(opened, message);
  };
  const { publish: channelPublish } = opened;
  Object.defineProperty(opened, 'publish', { value: publish, configurable: true, writable: true });
  try {
    return socket.connect(settings as TcpNetConnectOpts);
  } finally {
    delete (opened as { publish?: unknown }).publish;
  }
}
