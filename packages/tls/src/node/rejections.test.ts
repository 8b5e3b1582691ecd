import events from 'node:events';
import nodeHttps from 'node:https';
import { connect as netConnect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import ourHttps from './https.ts';
import type { TLSSocket } from './index.ts';
import {
  BOTH,
  ca,
  clientIdentity,
  closeAll,
  closeOf,
  errorOf,
  listen,
  serverIdentity,
  track,
} from './testing/support.ts';

beforeEach(() => {
  events.captureRejections = true;
});
afterEach(() => {
  events.captureRejections = false;
  closeAll();
});

async function rejects(): Promise<void> {
  throw new Error('the handler failed');
}

describe.each(BOTH)('events.captureRejections: an async handler that rejects, %s', (_name, tls) => {
  test('of secureConnection costs its connection', async () => {
    const server = tls.createServer(serverIdentity);
    server.on('secureConnection', rejects);
    const seen: unknown[] = [];
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', ({ message }) => seen.push(message));
      socket.on('close', (hadError) => seen.push(hadError));
    });
    const port = await listen(server);
    const client = track(tls.connect({ port, ca, servername: 'localhost' }));
    client.on('error', () => {});
    client.resume();
    await closeOf(client);
    expect(seen).toEqual(['the handler failed', true]);
  });

  test('of connection costs its connection', async () => {
    const server = tls.createServer(serverIdentity);
    server.on('connection', rejects);
    const port = await listen(server);
    const client = track(netConnect(port, '127.0.0.1'));
    client.resume();
    client.on('error', () => {});
    await closeOf(client);
    expect(client.destroyed).toBe(true);
  });

  test('of another event is the server\u2019s error', async () => {
    const server = tls.createServer(serverIdentity);
    server.on('tlsClientError', rejects);
    const port = await listen(server);
    const failed = errorOf(server);
    track(netConnect(port, '127.0.0.1')).end('no TLS at all');
    expect(await failed).toMatchObject({ message: 'the handler failed' });
  });

  test.each(['secureConnect', 'session', 'data', 'end'])('of a client\u2019s %s costs it', async (event) => {
    const server = tls.createServer(serverIdentity, (socket) => {
      socket.on('error', () => {});
      setImmediate(() => socket.end('hello'));
    });
    const port = await listen(server);
    const client = track(
      tls.connect({ port, ca, servername: 'localhost', allowHalfOpen: true, ...clientIdentity }),
    );
    client.on(event, rejects);
    const [failed, closed] = [errorOf(client), closeOf(client)];
    if (event !== 'data') client.resume();
    expect(await failed).toMatchObject({ message: 'the handler failed' });
    expect(await closed).toBe(true);
  });
});

test.each([
  ['ours', ourHttps],
  ['Node\u2019s', nodeHttps as unknown as typeof ourHttps],
])('of a request is the error of an HTTPS server, %s', async (_name, https) => {
  const server = https.createServer(serverIdentity);
  server.on('request', rejects);
  const port = await listen(server);
  const failed = errorOf(server);
  const request = https.get({ port, ca, servername: 'localhost' });
  request.on('error', () => {});
  expect(await failed).toMatchObject({ message: 'the handler failed' });
  request.destroy();
});
