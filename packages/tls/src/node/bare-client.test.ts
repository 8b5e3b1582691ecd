import { once } from 'node:events';
import { createServer as createNetServer, connect as netConnect } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { TLSSocket } from './socket/socket.ts';
import {
  closeAll,
  connected,
  listen,
  nodes,
  ours,
  serverIdentity,
  type Tls,
  track,
} from './testing/support.ts';

// A client that nobody made by `connect` begins when it is told to, or when something is written.

afterEach(closeAll);

const DEEDS: Readonly<Record<string, (socket: TLSSocket) => unknown>> = {
  nothing: () => {},
  _start: (socket) => socket._start(),
  write: (socket) => socket.write('x'),
  'writev, corked': (socket) => {
    socket.cork();
    socket.write('x');
    socket.write('y');
    socket.uncork();
  },
  end: (socket) => socket.end(),
  'end with data': (socket) => socket.end('x'),
  read: (socket) => socket.read(),
  resume: (socket) => socket.resume(),
  'a listener for data': (socket) => socket.on('data', () => {}),
  'a listener for secure': (socket) => socket.on('secure', () => {}),
  pipe: (socket) => socket.pipe(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })),
  'a name': (socket) => socket.setServername('x'),
};

/** What comes to the other end, and what the client tells, as it happens. */
async function watch(tls: Tls, deed: string, isConnected: boolean): Promise<readonly string[]> {
  const log: string[] = [];
  const server = createNetServer((peer) => {
    track(peer).on('error', () => {});
    peer.on('data', ([first]) => log.push(`bytes of type ${first}`)).on('end', () => log.push('end'));
  });
  const raw = track(netConnect(await listen(server), '127.0.0.1').on('error', () => {}));
  if (isConnected) await once(raw, 'connect');
  const socket = track(new tls.TLSSocket(raw, {}));
  socket.on('error', () => {});
  for (const event of ['connect', 'close']) socket.on(event, () => log.push(event));
  DEEDS[deed]!(socket);
  return log;
}

describe.each([false, true])('over a socket (connected before: %s)', (isConnected) => {
  test.each(Object.keys(DEEDS))('%s', async (deed) => {
    const theirs = await watch(nodes, deed, isConnected);
    const own = await watch(ours, deed, isConnected);
    // Long enough to see what is too much; what is slow on either side is waited for.
    await after(100);
    await expect.poll(() => own).toEqual(theirs);
  });
});

test('a peer that ends before anything has begun', async () => {
  const told = async (tls: Tls): Promise<string[]> => {
    const log: string[] = [];
    const port = await listen(createNetServer((peer) => peer.end()));
    const socket = track(new tls.TLSSocket(netConnect(port, '127.0.0.1'), {}));
    for (const event of ['end', 'finish', 'close', 'error']) socket.on(event, () => log.push(event));
    socket.resume();
    await once(socket, 'close');
    return log;
  };
  expect(await told(ours)).toEqual(await told(nodes));
});

test.each([false, true])('over a Duplex, after a write: %s', async (writes) => {
  for (const tls of [nodes, ours]) {
    const [end, other] = duplexPair();
    const types: number[] = [];
    other.on('data', ([type]: Buffer) => types.push(type!));
    const socket = track(new tls.TLSSocket(end as never, {}));
    socket.on('error', () => {});
    if (writes) socket.write('x');
    await after(20);
    expect(types).toEqual(writes ? [22] : []);
  }
});

test('allowHalfOpen of a Duplex that cannot be written to', () => {
  const duplex = new Duplex({ allowHalfOpen: false, read() {} });
  expect(new ours.TLSSocket(duplex as never, { allowHalfOpen: true }).allowHalfOpen).toBe(false);
});

describe('a client that destroys at OCSPResponse', () => {
  test('is not heard of as secure by the server', async () => {
    for (const tls of [nodes, ours]) {
      const log: string[] = [];
      const server = tls.createServer({ ...serverIdentity, minVersion: 'TLSv1.3' }, () => log.push('secure'));
      server.on('OCSPRequest', (_leaf, _issuer, done) => done(null, Buffer.from('revoked')));
      const failed = once(server, 'tlsClientError');
      const port = await listen(server);
      const client = track(tls.connect({ port, requestOCSP: true, rejectUnauthorized: false }));
      client.on('OCSPResponse', () => client.destroy()).on('secureConnect', () => log.push('secure'));
      expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
      expect(log).toEqual([]);
    }
  });

  test('and one that does not is', async () => {
    await connected(ours, ours, {}, { requestOCSP: true });
  });
});
