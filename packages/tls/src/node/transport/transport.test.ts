import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createNetServer, connect as netConnect, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { TRUNCATED } from '../errors/errors.ts';
import type { TLSSocket } from '../index.ts';
import { type PipeEnd, pipe } from '../testing/pipe.ts';
import {
  ca,
  closeAll,
  closeOf,
  connected,
  errorOf,
  listen,
  nodes,
  ours,
  readAll,
  serverIdentity,
  track,
} from '../testing/support.ts';

afterEach(closeAll);

async function overPipe(): Promise<{ client: TLSSocket; accepted: TLSSocket; ends: [PipeEnd, PipeEnd] }> {
  const ends = pipe();
  const server = ours.createServer(serverIdentity);
  const secure = once(server, 'secureConnection');
  server.emit('connection', ends[1]);
  const client = track(ours.connect({ socket: ends[0], ca, servername: 'localhost' }));
  client.on('error', () => {});
  const [[accepted]] = await Promise.all([secure, once(client, 'secureConnect')]);
  return { client, accepted: track(accepted), ends };
}

describe('over a Duplex that is no socket', () => {
  test('data goes both ways and both ends close', async () => {
    const { client, accepted } = await overPipe();
    const body = randomBytes(500_000);
    accepted.pipe(accepted);
    const closed = Promise.all([closeOf(client), closeOf(accepted)]);
    client.end(body);
    expect((await readAll(client)).equals(body)).toBe(true);
    expect(await closed).toEqual([false, false]);
  });

  test('what only sockets have is undefined or does nothing', async () => {
    const { client } = await overPipe();
    expect(client.remoteAddress).toBeUndefined();
    expect(client.address()).toEqual({});
    expect(client.setNoDelay().setKeepAlive().ref().unref()).toBe(client);
    expect(client).toBeInstanceOf(Socket);
  });

  test('its end without close_notify is a truncation', async () => {
    const { client, ends } = await overPipe();
    const told = once(client, 'truncated');
    ends[1].end();
    client.resume();
    expect((await told)[0]).toMatchObject({ code: TRUNCATED });
  });

  test('its error is the socket\u2019s error, and its destruction closes it', async () => {
    const { client, ends } = await overPipe();
    const failed = errorOf(client);
    const closed = closeOf(client);
    ends[0].destroy(new Error('the line is cut'));
    expect(await failed).toMatchObject({ message: 'the line is cut' });
    // As in Node, the error is told, and then the socket closed by the stream's end.
    expect(await closed).toBe(false);
  });

  test('a reader that stops makes the other end wait', async () => {
    const { client, accepted } = await overPipe();
    let done = false;
    client.write(Buffer.alloc(5_000_000), () => {
      done = true;
    });
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    // One chunk of the transport, which holds what was sealed at once, at most twice.
    expect(accepted.readableLength).toBeLessThan(600_000);
    client.end();
    expect((await readAll(accepted)).length).toBe(5_000_000);
    expect(done).toBe(true);
  });

  test('resetAndDestroy destroys what cannot be reset', async () => {
    const { client } = await overPipe();
    client.resetAndDestroy();
    expect(client.destroyed).toBe(true);
  });
});

describe('over sockets', () => {
  test('STARTTLS: both sides change over in the middle of a connection', async () => {
    const server = createNetServer((raw) => {
      raw.once('data', () => {
        raw.write('go\n');
        const secured = new ours.TLSSocket(raw, { isServer: true, ...serverIdentity });
        secured.pipe(secured);
      });
    });
    const port = await listen(server);
    const raw = track(netConnect(port, '127.0.0.1'));
    raw.write('STARTTLS\n');
    await once(raw, 'data');
    const client = track(ours.connect({ socket: raw, servername: 'localhost', ca }));
    client.end('secret');
    expect(String(await readAll(client))).toBe('secret');
  });

  test('a socket that is still connecting is waited for', async () => {
    const server = ours.createServer(serverIdentity, (socket) => socket.end('hello'));
    const port = await listen(server);
    for (const raw of [netConnect(port, '127.0.0.1'), new Socket()]) {
      const client = track(ours.connect({ socket: raw, servername: 'localhost', ca }));
      expect(client.connecting).toBe(true);
      if (!raw.connecting) raw.connect(port, '127.0.0.1');
      expect(String(await readAll(client))).toBe('hello');
      expect(client.connecting).toBe(false);
    }
  });

  test('TLS in TLS', async () => {
    const inner = ours.createServer(serverIdentity, (socket) => {
      socket.pipe(socket);
    });
    const outer = await connected(ours, ours);
    inner.emit('connection', outer.accepted);
    const client = track(ours.connect({ socket: outer.client, servername: 'localhost', ca }));
    expect(client.remotePort).toBe(outer.port);
    client.end('twice');
    expect(String(await readAll(client))).toBe('twice');
  });

  test('ours over a TLSSocket of Node', async () => {
    const outer = await connected(ours, nodes);
    const inner = ours.createServer(serverIdentity, (socket) => socket.end('inside'));
    inner.emit('connection', outer.accepted);
    const client = track(ours.connect({ socket: outer.client, servername: 'localhost', ca }));
    expect(String(await readAll(client))).toBe('inside');
  });

  test('a Unix socket', async () => {
    const server = ours.createServer(serverIdentity, (socket) => socket.end('local'));
    const path = `\0testudo-${process.pid}-${Math.random()}`;
    track(server).listen(path);
    await once(server, 'listening');
    expect(String(await readAll(track(ours.connect({ path, ca }))))).toBe('local');
    expect(String(await readAll(track(ours.connect(path as never, { ca } as never))))).toBe('local');
  });

  test('the forms of connect\u2019s arguments', async () => {
    const server = ours.createServer(serverIdentity, (socket) => socket.end('x'));
    const port = await listen(server);
    const calls = [
      (done: () => void) => ours.connect({ port, ca }, done),
      (done: () => void) => ours.connect(port, { ca }, done),
      (done: () => void) => ours.connect(port, '127.0.0.1', { ca, servername: 'localhost' }, done),
      (done: () => void) => ours.connect(`${port}` as never, 'localhost', { ca }, done),
    ];
    for (const call of calls) {
      await new Promise<void>((resolve) => {
        track(call(resolve)).on('error', () => {});
      });
    }
  });

  test('the phases of a connection are told in order', async () => {
    const server = ours.createServer(serverIdentity);
    const port = await listen(server);
    const client = track(ours.connect({ port, host: 'localhost', family: 4, ca }));
    const phases: string[] = [];
    for (const phase of ['lookup', 'connect', 'ready', 'secure', 'secureConnect']) {
      client.on(phase, () => phases.push(phase));
    }
    expect(client.readyState).toBe('opening');
    expect(client.pending).toBe(true);
    await once(client, 'secure');
    expect(phases).toEqual(['lookup', 'connect', 'ready', 'secureConnect', 'secure']);
    expect(client.readyState).toBe('open');
    expect(client.pending).toBe(false);
  });

  test('pauseOnConnect leaves the data for later', async () => {
    const server = ours.createServer({ ...serverIdentity, pauseOnConnect: true });
    const port = await listen(server);
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const client = track(ours.connect({ port, ca }));
    client.end('waits');
    const [socket] = await accepted;
    const seen: string[] = [];
    socket.on('data', (data) => seen.push(String(data)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen).toEqual([]);
    socket.resume();
    await once(socket, 'end');
    expect(seen).toEqual(['waits']);
  });
});
