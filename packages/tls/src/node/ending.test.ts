import { once } from 'node:events';
import {
  createServer as createNetServer,
  Server as NetServer,
  connect as netConnect,
  type Socket,
} from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  ca,
  closeAll,
  closeOf,
  connected,
  errorOf,
  listen,
  MATRIX,
  nodes,
  ours,
  readAll,
  serverIdentity,
  track,
} from './testing/support.ts';

afterEach(closeAll);

describe.each(MATRIX)('%s, %s: half-close', (_name, maxVersion, serverTls, clientTls) => {
  test('with allowHalfOpen, an answer still comes after the question has ended', async () => {
    const { client, accepted } = await connected(serverTls, clientTls, { maxVersion, allowHalfOpen: true });
    client.end('question');
    expect(String(await readAll(accepted))).toBe('question');
    accepted.end('answer');
    expect(String(await readAll(client))).toBe('answer');
  });

  test('without it, the end of one direction ends the other', async () => {
    const { client, accepted } = await connected(serverTls, clientTls, { maxVersion });
    accepted.resume();
    client.resume();
    const closed = Promise.all([once(client, 'close'), once(accepted, 'close')]);
    client.end('bye');
    expect(await closed).toEqual([[false], [false]]);
    expect(accepted.writableEnded).toBe(true);
  });
});

test('a raw socket that is secured later can be half-closed, too', async () => {
  // The option is for sockets that connect themselves: one that is given decides by itself.
  const server = createNetServer({ allowHalfOpen: true }, (raw) => {
    const secured = new ours.TLSSocket(raw, { isServer: true, ...serverIdentity });
    secured.resume();
    secured.on('end', () => setTimeout(() => secured.end('a late answer'), 20));
  });
  const port = await listen(server);
  const client = track(ours.connect({ port, ca, allowHalfOpen: true }));
  client.end('question');
  expect(String(await readAll(client))).toBe('a late answer');
});

describe('ends before the handshake is complete', () => {
  test('a server that hangs up gives the client ECONNRESET in Node\u2019s words', async () => {
    const hangup = createNetServer((socket) => socket.end());
    const port = await listen(hangup);
    const own = await errorOf(track(ours.connect({ port, host: '127.0.0.1' })));
    const theirs = await errorOf(track(nodes.connect({ port, host: '127.0.0.1' })));
    expect({ ...own, message: own.message }).toMatchObject({
      code: 'ECONNRESET',
      message: theirs.message,
      host: '127.0.0.1',
      port,
    });
  });

  test('a client that hangs up gives the server tlsClientError ECONNRESET', async () => {
    const server = ours.createServer(serverIdentity);
    const port = await listen(server);
    const failed = once(server, 'tlsClientError');
    track(netConnect(port, '127.0.0.1')).end();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET', message: 'socket hang up' });
  });

  test('a refused port is ECONNREFUSED, as the system says', async () => {
    const closing = createNetServer();
    const port = await listen(closing);
    await new Promise((resolve) => closing.close(resolve));
    const client = track(ours.connect({ port, host: '127.0.0.1' }));
    expect(await errorOf(client)).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', port });
    expect(await closeOf(client)).toBe(true);
  });

  test('a client that is too slow gives the server ERR_TLS_HANDSHAKE_TIMEOUT, and is let go', async () => {
    const server = ours.createServer({ ...serverIdentity, handshakeTimeout: 30 });
    const port = await listen(server);
    const failed = once(server, 'tlsClientError');
    const slow = track(netConnect(port, '127.0.0.1'));
    slow.on('error', () => {});
    slow.resume();
    expect((await failed)[0]).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    await closeOf(slow);
  });

  test('a client that trickles bytes meets the same deadline: it is no idle time', async () => {
    const server = ours.createServer({ ...serverIdentity, handshakeTimeout: 60 });
    const port = await listen(server);
    const failed = once(server, 'tlsClientError');
    const slow = track(netConnect(port, '127.0.0.1'));
    slow.on('error', () => {});
    const header = [22, 3, 1, 2, 0];
    const drip = setInterval(() => slow.write(Uint8Array.of(header.shift() ?? 0)), 10);
    const [error] = await failed;
    clearInterval(drip);
    expect(error).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  });

  test('a handshake that was in time is not hit by the deadline later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { client, accepted } = await connected(ours, ours, { handshakeTimeout: 200 });
    await vi.advanceTimersByTimeAsync(10_000);
    client.end('still here');
    expect(String(await readAll(accepted))).toBe('still here');
  });

  test('plain HTTP to a TLS port is named', async () => {
    const server = ours.createServer(serverIdentity);
    const port = await listen(server);
    const failed = once(server, 'tlsClientError');
    track(netConnect(port, '127.0.0.1')).end('GET / HTTP/1.1\r\n\r\n');
    expect((await failed)[0]).toMatchObject({ code: 'ERR_SSL_HTTP_REQUEST', library: 'SSL routines' });
  });

  test('bytes that are no TLS are refused on both sides as in Node', async () => {
    const server = ours.createServer(serverIdentity);
    const port = await listen(server);
    const failed = once(server, 'tlsClientError');
    track(netConnect(port, '127.0.0.1')).end(Buffer.alloc(50, 0xaa));
    expect((await failed)[0]).toMatchObject({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' });

    const http = createNetServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const httpPort = await listen(http);
    const own = await errorOf(track(ours.connect(httpPort)));
    const theirs = await errorOf(track(nodes.connect(httpPort)));
    expect(own.code).toBe(theirs.code);
  });
});

describe('destroy', () => {
  const phases: readonly (readonly [string, (port: number) => Socket])[] = [
    ['in the same turn', (port) => ours.connect({ port, ca }).destroy()],
    ['while connecting', (port) => destroyOn('lookup', port)],
    ['when TCP is connected', (port) => destroyOn('connect', port)],
    ['when the handshake is complete', (port) => destroyOn('secureConnect', port)],
    ['when data comes', (port) => destroyOn('data', port)],
  ];

  function destroyOn(event: string, port: number): Socket {
    const client = ours.connect({ port, ca });
    const target = event === 'lookup' ? (client.transport as Socket) : client;
    target.once(event, () => client.destroy());
    return client;
  }

  test.each(phases)('%s closes once, without an error', async (_name, start) => {
    const server = ours.createServer(serverIdentity, (socket) => socket.write('data'));
    server.on('tlsClientError', () => {});
    const port = await listen(server);
    const client = track(start(port));
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    let closes = 0;
    client.on('close', () => closes++);
    await closeOf(client);
    await new Promise((resolve) => setImmediate(resolve));
    expect(closes).toBe(1);
    expect(errors).toEqual([]);
    expect(client.destroyed).toBe(true);
  });

  test('with an error gives that error, then close with true', async () => {
    const { client } = await connected(ours, ours);
    const failed = errorOf(client);
    const closed = closeOf(client);
    client.destroy(new Error('enough'));
    expect(await failed).toMatchObject({ message: 'enough' });
    expect(await closed).toBe(true);
  });

  test('in the middle of a large write ends that write with an error', async () => {
    const { client, accepted } = await connected(ours, ours);
    accepted.pause();
    const written = new Promise((resolve) => client.write(Buffer.alloc(50_000_000), resolve));
    setImmediate(() => client.destroy());
    expect(await written).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
  });

  test('a write before the handshake fails with what made the handshake fail', async () => {
    const port = await listen(ours.createServer(serverIdentity));
    const client = track(ours.connect({ port, ca, servername: 'other.example' }));
    const failed = errorOf(client);
    const written = new Promise((resolve) => client.write('too early', resolve));
    expect(await written).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(await failed).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('a signal that aborts destroys, also one that is aborted already', async () => {
    const server = ours.createServer(serverIdentity);
    const port = await listen(server);
    const aborted = track(ours.connect({ port, ca, signal: AbortSignal.abort() }));
    expect(await errorOf(aborted)).toMatchObject({ name: 'AbortError' });
    const controller = new AbortController();
    const later = track(ours.connect({ port, ca, signal: controller.signal }));
    const failed = errorOf(later);
    later.once('secureConnect', () => controller.abort());
    expect(await failed).toMatchObject({ name: 'AbortError' });
  });

  test('a server closes when its connections are gone', async () => {
    const { server, client, accepted } = await connected(ours, ours);
    const closed = new Promise((resolve) => server.close(resolve));
    expect(server).toBeInstanceOf(NetServer);
    accepted.resume();
    client.resume();
    client.end();
    expect(await closed).toBeUndefined();
  });
});

describe('writing after the end', () => {
  test('gives ERR_STREAM_WRITE_AFTER_END', async () => {
    const { client } = await connected(ours, ours);
    client.end();
    const failed = errorOf(client);
    client.write('more');
    expect(await failed).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });

  test('end() before the handshake is complete still ends cleanly', async () => {
    let received: Promise<Buffer> | undefined;
    const server = ours.createServer(serverIdentity, (socket) => {
      received = readAll(socket);
    });
    const port = await listen(server);
    const client = track(ours.connect({ port, ca }));
    client.end();
    client.resume();
    expect(await closeOf(client)).toBe(false);
    expect(await received).toEqual(Buffer.alloc(0));
  });

  test('destroySoon() sends what was written', async () => {
    const { client, accepted } = await connected(ours, ours);
    // Closing with the tickets unread would be a TCP reset, as in Node: so they are read first.
    accepted.write('ready');
    await once(client, 'data');
    client.write(Buffer.alloc(300_000));
    client.destroySoon();
    expect((await readAll(accepted)).length).toBe(300_000);
  });
});

describe('setTimeout', () => {
  test('tells of idle time, and not while data moves', async () => {
    const { client, accepted } = await connected(ours, ours);
    accepted.resume();
    let timeouts = 0;
    client.setTimeout(80, () => timeouts++);
    const start = performance.now();
    const ticking = setInterval(() => client.write('tick'), 10);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // A machine that stood still for that long is idle, too.
    if (performance.now() - start < 260) expect(timeouts).toBe(0);
    clearInterval(ticking);
    await once(client, 'timeout');
    expect(client.destroyed).toBe(false);
  });

  test('connect takes it as an option', async () => {
    const server = ours.createServer(serverIdentity);
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, timeout: 40 }));
    await once(client, 'timeout');
    expect(client.timeout).toBe(40);
  });
});
