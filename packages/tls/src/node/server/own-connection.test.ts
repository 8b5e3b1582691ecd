import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Server, TLSSocket } from '../index.ts';
import { ca, closeAll, listen, nodes, ours, serverIdentity, track, VERSIONS } from '../testing/support.ts';

afterEach(closeAll);

/** One connection over which something went there and back. */
async function connection(server: Server, port: number, tls = nodes): Promise<TLSSocket> {
  const client = track(tls.connect({ port, ca, servername: 'localhost' }));
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
  socket.on('data', (chunk) => socket.end(chunk));
  client.write('there and back');
  const [answer] = await once(client, 'data');
  expect(String(answer)).toBe('there and back');
  return socket;
}

/** Whether the socket that the server accepted carries the records, and no second one on its handle: so somebody of ours reads it. */
function carries(socket: TLSSocket, others: number = 0): boolean {
  return socket.transport.listenerCount('data') > others;
}

describe('a connection that a server has accepted', () => {
  test.each(VERSIONS)('%s: is the transport where nobody else has it', async (maxVersion) => {
    for (const tls of [ours, nodes]) {
      const server = ours.createServer({ ...serverIdentity, maxVersion });
      const socket = await connection(server, await listen(server), tls);
      expect(carries(socket)).toBe(true);
      expect((socket as unknown as { _parent: unknown })._parent).toBe(socket.transport);
    }
  });

  test.each([true, false])('keeps the server\u2019s allowHalfOpen: %s', async (allowHalfOpen) => {
    for (const tls of [ours, nodes]) {
      const server = tls.createServer({ ...serverIdentity, allowHalfOpen } as object);
      const port = await listen(server);
      const client = track(ours.connect({ port, ca, servername: 'localhost', allowHalfOpen: true }));
      const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
      expect(socket.allowHalfOpen).toBe(allowHalfOpen);
      client.resume();
      socket.resume();
      client.end();
      await once(socket, 'end');
      await new Promise(setImmediate);
      expect(socket.writableEnded).toBe(!allowHalfOpen);
    }
  });

  test('is not taken for ours alone where a listener has it, and that one gets nothing', async () => {
    const server = ours.createServer(serverIdentity);
    const seen: unknown[] = [];
    server.on('connection', (raw: Socket) => raw.on('data', (chunk) => seen.push(chunk)));
    const socket = await connection(server, await listen(server));
    expect(carries(socket, 1)).toBe(false);
    expect(seen).toEqual([]);
  });

  test('is not where somebody had it before, and left something on it', async () => {
    const server = ours.createServer(serverIdentity);
    const seen: unknown[] = [];
    server.prependOnceListener('connection', (raw: Socket) => raw.on('data', (chunk) => seen.push(chunk)));
    const socket = await connection(server, await listen(server));
    expect(carries(socket, 1)).toBe(false);
    expect(seen).toEqual([]);
  });

  test('is not where somebody listens in our place', async () => {
    const server = ours.createServer(serverIdentity);
    const [serve] = server.listeners('connection') as ((this: Server, raw: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (raw: Socket) => serve!.call(server, raw));
    expect(carries(await connection(server, await listen(server)))).toBe(false);
  });

  test('is not where somebody emits in the server\u2019s place', async () => {
    const server = ours.createServer(serverIdentity);
    const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
    const raws: unknown[] = [];
    server.emit = ((event: string, ...args: unknown[]) => {
      if (event === 'connection') raws.push(args[0]);
      return emit(event, ...args);
    }) as typeof server.emit;
    const socket = await connection(server, await listen(server));
    expect(carries(socket)).toBe(false);
    expect(raws).toEqual([socket.transport]);
  });

  test('is not where programs watch all connections', async () => {
    const watched: unknown[] = [];
    const watch = (message: unknown): void => void watched.push((message as { socket: unknown }).socket);
    channel('net.server.socket').subscribe(watch);
    try {
      const server = ours.createServer(serverIdentity);
      const socket = await connection(server, await listen(server));
      expect(carries(socket)).toBe(false);
      expect(watched).toContain(socket.transport);
    } finally {
      channel('net.server.socket').unsubscribe(watch);
    }
  });

  test('is not when another server has accepted it', async () => {
    const server = ours.createServer(serverIdentity);
    const front = createServer((raw) => server.emit('connection', raw));
    const socket = await connection(server, await listen(front as never));
    expect(carries(socket)).toBe(false);
  });
});
