import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as passing } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { removeFolders } from '../testing/folder.ts';
import { ALERT, type Tap, tapOn } from '../testing/tap.ts';
import {
  readAll,
  standstill,
  startGateway,
  stopAll,
  type TestGateway,
  tcpServer,
} from '../testing/test-gateway.ts';
import { between, withoutOwn } from '../testing/wire.ts';

afterEach(stopAll);
// Before that: hooks run in the reverse order.
afterEach(() => void vi.useRealTimers());
afterAll(removeFolders);

const LOCAL = 'certificate: local';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

describe('every end of ours says close_notify first', () => {
  /** A client of TLS 1.2, behind a tap. */
  async function tapped(site: TestGateway): Promise<{ tap: Tap; client: TLSSocket }> {
    const tap = await tapOn(site.port);
    const client = connect({
      port: tap.port,
      host: '127.0.0.1',
      ca: site.ca,
      servername: 'localhost',
      maxVersion: 'TLSv1.2',
    });
    client.on('error', () => undefined);
    await once(client, 'secureConnect');
    return { tap, client };
  }

  async function expectGoodbye(tap: Tap): Promise<void> {
    expect(await tap.ended).toBe('end');
    expect(tap.types().at(-1)).toBe(ALERT);
  }

  /** Both ends of a forward: how the service behind sees its own. */
  async function forwarded(lines: string): Promise<{ site: TestGateway; service: Promise<string> }> {
    let done: (how: string) => void;
    const service = new Promise<string>((resolve) => {
      done = resolve;
    });
    const port = await tcpServer((socket: Socket) => {
      socket.write('* OK IMAP\r\n');
      socket.resume();
      socket.once('end', () => done('end'));
      socket.once('error', () => done('error'));
    });
    return { site: await startGateway([`${LOCAL}\nforward: 127.0.0.1:${port}\n${lines}`]), service };
  }

  test.each(['echo: true', 'welcome: true'])('to an idle client of %s', async (service) => {
    const { tap } = await tapped(await startGateway([`${LOCAL}\n${service}\nlimits: { idle: 100ms }`]));
    await expectGoodbye(tap);
  });

  test('to an idle client of a forward, and to the service behind', async () => {
    const { site, service } = await forwarded('limits: { idle: 100ms }');
    const { tap } = await tapped(site);
    await expectGoodbye(tap);
    expect(await service).toBe('end');
  });

  test('to a kept HTTP connection, and to one that began a request and says no more', async () => {
    for (const text of [GET, 'GET / HTTP/1.1\r\nHo']) {
      const site = await startGateway([`${LOCAL}\nwelcome: true\nlimits: { idle: 100ms }`]);
      const { tap, client } = await tapped(site);
      client.write(text);
      await expectGoodbye(tap);
    }
  });

  test('over a WebSocket that is idle, on both sides', async () => {
    const { site, server } = await between('limits: { webSocket: 100ms }');
    const { tap, client } = await tapped(site);
    client.write(HANDSHAKE);
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await expectGoodbye(tap);
    await behind.ended();
  });

  test.each(['drain', 'destroy'] as const)('when the gateway ends: %s', async (how) => {
    const { site, service } = await forwarded('');
    const { tap, client } = await tapped(site);
    await once(client, 'data');
    if (how === 'drain') void site.gateway.drain(50);
    else site.gateway.destroy();
    await expectGoodbye(tap);
    expect(await service).toBe('end');
  });

  test('when a drain is over, in the middle of an answer, which is seen to be cut off', async () => {
    const { site, server } = await between();
    const { tap, client } = await tapped(site);
    const text = readAll(client);
    client.write(GET);
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    await expect.poll(() => tap.types().length).toBeGreaterThan(4);
    void site.gateway.drain(50);
    await expectGoodbye(tap);
    expect(await text).toMatch(/Content-Length: 100\r\n(.|\r\n)*half$/);
    await behind.ended();
  });

  test('to a client that began no handshake', async () => {
    const site = await startGateway([`${LOCAL}\necho: true\nlimits: { handshake: 100ms }`]);
    const socket = connectTcp(site.port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    await once(socket, 'end');
    expect(Buffer.concat(received).toString('hex')).toBe('15030300020100');
  });
});

/**
 * Lets time pass for the limits of the server behind only when the test says so. Those of idle clients are timers of Node's
 * sockets, which go on.
 */
function stopTheClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
}

describe('the server behind', () => {
  test('has its time only when the client has sent everything', async () => {
    stopTheClock();
    const { client, server } = await between('limits: { firstByte: 10s, pause: 10s }');
    const wire = await client();
    wire.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n');
    const behind = await server();
    for (const part of ['a', 'b', 'c']) {
      await vi.advanceTimersByTimeAsync(25_000);
      wire.write(part);
      await behind.until(part === 'a' ? '\r\n\r\na' : part);
    }
    behind.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await wire.until('\r\n\r\nok');
    expect(wire.text).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    ['an answer', GET],
    ['a 100', 'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n'],
    ['an answer to a body', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'],
    [
      'an answer to a body in chunks',
      'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an answer to a wish for a WebSocket',
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ],
  ])('that owes %s and is silent is a 504', async (_, request) => {
    const { site, client, server } = await between('limits: { firstByte: 100ms, pause: 1h }');
    const wire = await client();
    wire.write(request);
    await server();
    await wire.until('504 Gateway Timeout</h1>');
    expect(site.lines().find(({ msg }) => msg === 'the server does not answer')).toMatchObject({
      reason: 'no answer in time (limits.firstByte)',
    });
  });

  test('that takes no more of a body is a 504', async () => {
    const { site, client, server } = await between('limits: { pause: 100ms }');
    const wire = await client();
    wire.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n');
    const behind = await server();
    behind.socket.pause();
    wire.write('x'.repeat(50_000_000));
    await wire.until('504 Gateway Timeout</h1>');
    expect(site.lines().some(({ reason }) => reason === 'it stopped in the middle (limits.pause)')).toBe(
      true,
    );
  });

  test('that stops in the middle of its answer: the client sees that it is incomplete', async () => {
    const { client, server } = await between('limits: { pause: 100ms }');
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    behind.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    await wire.closed();
    expect(withoutOwn(wire.text)).toBe('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    await behind.ended();
  });

  test('is not silent while the client reads slowly', async () => {
    stopTheClock();
    const { client, server } = await between('limits: { firstByte: 10s, pause: 10s }');
    const { socket } = await client();
    socket.removeAllListeners('data').write(GET);
    const behind = await server();
    await behind.until('\r\n\r\n');
    socket.pause();
    const length = 20_000_000;
    behind.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`);
    await standstill(() => socket.bytesRead);
    await vi.advanceTimersByTimeAsync(60_000);
    let count = 0;
    socket.on('data', (chunk) => {
      count += chunk.length;
      if (count > length) socket.end();
    });
    socket.resume();
    await once(socket, 'close');
    expect(count).toBeGreaterThan(length);
  });

  test('may say that it is at work, by a 1xx', async () => {
    stopTheClock();
    const { client, server } = await between('limits: { firstByte: 10s }');
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    await behind.until('\r\n\r\n');
    for (let i = 1; i <= 5; i++) {
      await vi.advanceTimersByTimeAsync(9000);
      behind.write(`HTTP/1.1 102 Processing ${i}\r\n\r\n`);
      await wire.until(`102 Processing ${i}\r\n\r\n`);
    }
    behind.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await wire.until('\r\n\r\nok');
  });

  test('has its own time, whatever the limit for idle clients', async () => {
    const { client, server } = await between('limits: { idle: 100ms }');
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    await passing(400);
    behind.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await wire.until('\r\n\r\nok');
  });
});

test('a client that stops in the middle of its request is idle', async () => {
  const { client, server } = await between('limits: { idle: 100ms }');
  const wire = await client();
  wire.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na');
  const behind = await server();
  await wire.closed();
  await behind.ended();
});

test('a WebSocket outlives the limit for idle clients', async () => {
  const { client, server } = await between('limits: { idle: 100ms }');
  const wire = await client();
  wire.write(HANDSHAKE);
  const behind = await server();
  behind.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await wire.until('\r\n\r\n');
  await passing(400);
  behind.write('still here');
  await wire.until('still here');
});
