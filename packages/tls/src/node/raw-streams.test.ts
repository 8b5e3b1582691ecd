import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { createServer as createNetServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { TLSSocket } from './index.ts';
import { Story, settled } from './testing/story.ts';
import {
  BOTH,
  ca,
  closeAll,
  listen,
  nodes,
  ours,
  readAll,
  serverIdentity,
  type Tls,
  track,
} from './testing/support.ts';

afterEach(closeAll);

/** A server that says back what it gets, for raw connections that are given to it. */
function echo(tls: Tls): Server {
  return tls.createServer(serverIdentity, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
}

async function connectedTo(port: number): Promise<Socket> {
  const raw = track(netConnect(port, '127.0.0.1'));
  await once(raw, 'connect');
  return raw;
}

async function said(client: TLSSocket, text: string | Buffer): Promise<Buffer> {
  client.end(text);
  return await readAll(client);
}

describe.each(BOTH)('what a raw socket holds before it becomes TLS, %s', (_name, tls) => {
  /** Reads the start of a connection, as who looks at the name in a ClientHello does, and puts it back. */
  const LOOKS: Readonly<Record<string, (raw: Socket, first: Buffer, server: Server) => void>> = {
    'put back before, paused': (raw, first, server) => {
      raw.pause();
      raw.unshift(first);
      server.emit('connection', raw);
    },
    'put back after': (raw, first, server) => {
      server.emit('connection', raw);
      raw.unshift(first);
    },
    'put back in pieces': (raw, first, server) => {
      raw.pause();
      raw.unshift(first.subarray(100));
      raw.unshift(first.subarray(0, 100));
      server.emit('connection', raw);
    },
    'put back, for a listener that waits': (raw, first, server) => {
      raw.pause();
      raw.unshift(first);
      server.emit('connection', raw);
      raw.on('readable', () => {});
    },
  };

  test.each(Object.entries(LOOKS))('%s', async (_look, look) => {
    const server = echo(tls);
    const port = await listen(
      createNetServer((raw) => {
        track(raw).once('data', (first) => look(raw, first, server));
      }),
    );
    const client = track(nodes.connect({ port, ca, servername: 'localhost' }));
    expect(String(await said(client, 'looked at'))).toBe('looked at');
  });

  test('what was written to it goes first', async () => {
    const before = randomBytes(3_000_000);
    const server = echo(nodes);
    const port = await listen(
      createNetServer((raw) => {
        const chunks: Buffer[] = [];
        const collect = (chunk: Buffer): void => {
          chunks.push(chunk);
          const all = Buffer.concat(chunks);
          if (all.length < before.length) return;
          raw.off('data', collect);
          raw.pause();
          expect(all.subarray(0, before.length).equals(before)).toBe(true);
          raw.unshift(all.subarray(before.length));
          server.emit('connection', raw);
        };
        track(raw).on('data', collect);
      }),
    );
    const raw = await connectedTo(port);
    raw.write(before);
    const client = track(tls.connect({ socket: raw, ca, servername: 'localhost' }));
    expect(String(await said(client, 'then TLS'))).toBe('then TLS');
  });
});

describe.each(BOTH)('kinds of raw sockets, %s', (_name, tls) => {
  test('one that reads into a buffer of its own', async () => {
    const port = await listen(echo(nodes));
    const read: number[] = [];
    const raw = track(
      netConnect({
        port,
        host: '127.0.0.1',
        onread: { buffer: Buffer.alloc(100), callback: (length) => read.push(length) > 0 },
      }),
    );
    await once(raw, 'connect');
    const client = track(tls.connect({ socket: raw, ca, servername: 'localhost' }));
    const body = randomBytes(300_000);
    expect((await said(client, body)).equals(body)).toBe(true);
    expect(read).toEqual([]);
  });

  test('a Unix socket, with listeners and an encoding', async () => {
    const path = `\0testudo-raw-${process.pid}-${Math.random()}`;
    const server = track(echo(nodes)).listen(path);
    await once(server, 'listening');
    const raw = track(netConnect(path));
    await once(raw, 'connect');
    raw.setEncoding('utf8').on('data', () => {
      throw new Error('nothing comes here any more');
    });
    const client = track(tls.connect({ socket: raw, ca, servername: 'localhost' }));
    expect(String(await said(client, 'local'))).toBe('local');
  });

  test('one that is still connecting, with listeners and an encoding', async () => {
    const port = await listen(echo(nodes));
    const raw = track(netConnect(port, '127.0.0.1'));
    raw.setEncoding('utf8').on('data', () => {
      throw new Error('nothing comes here any more');
    });
    const client = track(tls.connect({ socket: raw, ca, servername: 'localhost' }));
    expect(String(await said(client, 'early'))).toBe('early');
  });

  test('a tunnel through a proxy, and what the proxy said too early', async () => {
    const port = await listen(echo(nodes));
    const proxy = createHttpServer();
    proxy.on('connect', (_request, down: Socket) => {
      const up = track(netConnect(port, '127.0.0.1'));
      track(down).on('error', () => {});
      up.on('error', () => {});
      down.write('HTTP/1.1 200 OK\r\n\r\n');
      down.pipe(up).pipe(down);
    });
    const at = await listen(proxy);
    const request = httpRequest({ port: at, method: 'CONNECT', path: `localhost:${port}` }).end();
    const [, socket] = (await once(request, 'connect')) as [unknown, Socket];
    const client = track(tls.connect({ socket, ca, servername: 'localhost' }));
    expect(String(await said(client, 'tunnelled'))).toBe('tunnelled');
  });

  test('counts what goes over the wire', async () => {
    const port = await listen(echo(nodes));
    const raw = await connectedTo(port);
    const client = track(tls.connect({ socket: raw, ca, servername: 'localhost' }));
    expect(client.remotePort).toBe(port);
    const body = Buffer.alloc(100_000);
    await said(client, body);
    expect(client.bytesRead).toBeGreaterThanOrEqual(body.length);
    expect(raw.bytesRead).toBeGreaterThan(body.length);
    expect(raw.bytesWritten).toBeGreaterThan(body.length);
  });
});

type Act = (outer: TLSSocket, story: Story) => void;

/** What a program does to the TLSSocket that it gave to TLS once more. */
const OUTER: Readonly<Record<string, Act>> = {
  nothing: () => {},
  setEncoding: (outer) => outer.setEncoding('utf8'),
  'data listener': (outer, story) => outer.on('data', () => story.note('outer data')),
  'readable listener': (outer, story) => outer.on('readable', () => story.note('outer readable')),
  pause: (outer) => outer.pause(),
  removeAllListeners: (outer) => {
    outer.removeAllListeners();
  },
};

async function tlsInTls(tls: Tls, act: Act, before: boolean): Promise<readonly string[]> {
  const story = new Story();
  const inner = echo(nodes);
  const outerServer = nodes.createServer(serverIdentity, (socket) => inner.emit('connection', socket));
  const port = await listen(outerServer);
  const outer = track(tls.connect({ port, ca, servername: 'localhost' }));
  await once(outer, 'secureConnect');
  if (before) act(outer, story);
  story.watch('outer', outer, ['end', 'error', 'close']);
  const client = track(tls.connect({ socket: outer, ca, servername: 'localhost' }));
  story.watch('tls', client, ['secureConnect', 'data', 'end', 'error', 'close']);
  if (!before) act(outer, story);
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.end('inside');
  await closed;
  await settled();
  return story.lines;
}

describe.each([
  ['before', true],
  ['after', false],
] as const)('TLS in TLS leaves the outer socket as Node leaves it: %s', (_when, before) => {
  test.each(Object.entries(OUTER))('%s', async (_name, act) => {
    const expected = await tlsInTls(nodes, act, before);
    expect(expected).toContain('tls data inside');
    expect(await tlsInTls(ours, act, before)).toEqual(expected);
  });
});

test('TLS in TLS holds back when nobody reads', async () => {
  const inner = ours.createServer(serverIdentity);
  const outerServer = ours.createServer(serverIdentity, (socket) => inner.emit('connection', socket));
  const port = await listen(outerServer);
  const outer = track(ours.connect({ port, ca, servername: 'localhost' }));
  await once(outer, 'secureConnect');
  const client = track(ours.connect({ socket: outer, ca, servername: 'localhost' }));
  const [accepted] = (await once(inner, 'secureConnection')) as [TLSSocket];
  const body = randomBytes(20_000_000);
  let isWritten = false;
  client.end(body, () => {
    isWritten = true;
  });
  await settled();
  expect(isWritten).toBe(false);
  expect((await readAll(accepted)).equals(body)).toBe(true);
});
