import { Agent, createServer as createHttpServer, get } from 'node:http';
import { connect, createServer } from 'node:net';
import { floorCalls } from './floor-calls.mjs';
import { FloorSocket } from './floor-socket.mjs';

/**
 * The floor as one more stack: what no TLS stack on `node:net` gets under. Its peer is itself. It says of each connection
 * that it is what was meant, since it negotiates nothing.
 */
export function floorStack(material, setting) {
  const calls = floorCalls(setting, material);
  const stack = {
    setting,
    createServer: (onConnection) =>
      createServer({ allowHalfOpen: true }, (tcp) => {
        const socket = new FloorSocket(tcp, { role: 'server', setting, calls });
        socket.once('secureConnect', () => onConnection(socket));
      }),
    connect(port, session) {
      const tcp = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      return new FloorSocket(tcp, { role: 'client', setting, calls, isResumed: session !== undefined });
    },
    facts: (socket) => ({ ...setting, resumed: socket.isSessionReused?.() ?? false, authorized: true }),
  };
  return setting.https ? { ...stack, ...floorHttp(calls) } : stack;
}

/** Of `GET /` and of its answer, with what a record has beside them. */
const REQUEST = 60;
const ANSWER = 270;

/** `node:http`, and for each request one record opened and one sealed. Handshakes are too few to count. */
function floorHttp(calls) {
  const { aead } = calls.begin();
  const room = new Uint8Array(2 * ANSWER);
  const sealed = new Map(
    [REQUEST, ANSWER].map((length) => {
      const record = new Uint8Array(length);
      calls.seal(aead, record.subarray(0, -aead.tagLength), record, 0);
      return [length, record];
    }),
  );
  const open = (length) => calls.open(aead, sealed.get(length), room);
  const seal = (length) => calls.seal(aead, room.subarray(0, length - aead.tagLength), room, 0);
  return {
    scheme: 'http',
    createHttpsServer(onRequest) {
      const met = new WeakSet();
      const server = createHttpServer((request, response) => {
        // With the first request: the loader also connects without one, to see whether anybody listens.
        if (!met.has(request.socket)) {
          met.add(request.socket);
          server.emit('secureConnection', request.socket);
        }
        open(REQUEST);
        onRequest(request, response);
        seal(ANSWER);
      });
      return server;
    },
    createAgent: (options) => new Agent(options),
    get(options, onResponse) {
      seal(REQUEST);
      return get({ ...options, host: '127.0.0.1' }, (response) => {
        open(ANSWER);
        onResponse(response);
      });
    },
  };
}
