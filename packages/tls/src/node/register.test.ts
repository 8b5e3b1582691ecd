import type http from 'node:http';
import http2 from 'node:http2';
import https, { request as earlyRequest } from 'node:https';
import { createRequire } from 'node:module';
import type { Server as NetServer } from 'node:net';
import nodeTls, { connect as importedConnect, rootCertificates } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ca, closeAll, listen, serverIdentity, track } from './testing/support.ts';

afterEach(closeAll);

const require = createRequire(import.meta.url);
// What a library holds that was loaded before.
const { Agent: EarlyAgent, createServer: earlyCreateServer, Server: EarlyServer } = https;
const { createSecureServer: earlySecureServer, connect: earlyHttp2Connect } = http2;
const earlyGlobalAgent = https.globalAgent;
let door: typeof import('./door.ts');

beforeAll(async () => {
  await import('./register.ts');
  door = await import('./door.ts');
});

describe('after register', () => {
  test('node:tls is ours, however it is imported', () => {
    expect(nodeTls.connect).toBe(door.connect);
    expect((require('node:tls') as typeof nodeTls).Server).toBe(door.Server);
    expect(importedConnect).toBe(door.connect);
    expect(rootCertificates.length).toBeGreaterThan(50);
    expect('createSecurePair' in nodeTls).toBe(process.versions.node < '24');
  });

  test('servers of node:https and node:http2 are ours, also by classes taken before', async () => {
    for (const server of [
      https.createServer(serverIdentity),
      earlyCreateServer(serverIdentity),
      new EarlyServer(serverIdentity),
      (EarlyServer as unknown as (options: object) => NetServer)(serverIdentity),
      http2.createSecureServer(serverIdentity),
      earlySecureServer({ ...serverIdentity, allowHTTP1: true }),
    ]) {
      expect(server).toBeInstanceOf(door.Server);
      const socket = await firstSocket(server);
      expect(socket).toBeInstanceOf(door.TLSSocket);
    }
  });

  test.each([
    ['its global agent', () => earlyGlobalAgent],
    ['an agent of a class that was taken before', () => new EarlyAgent({ ca })],
    ['no agent', () => false as const],
  ])('requests with %s use our sockets', async (_, agent) => {
    const port = await listen(
      https.createServer(serverIdentity, (_request, response) => response.end('hello')),
    );
    const made = earlyRequest({ port, host: 'localhost', ca, agent: agent() });
    made.end();
    const response = await new Promise<http.IncomingMessage>((resolve) => made.on('response', resolve));
    expect(response.socket).toBeInstanceOf(door.TLSSocket);
    expect((response.socket as nodeTls.TLSSocket).authorized).toBe(true);
    const { socket } = response;
    expect(await text(response)).toBe('hello');
    socket.destroy();
  });

  test('an agent resumes sessions and keeps its connections', async () => {
    const server = https.createServer(serverIdentity, (_request, response) => response.end('hello'));
    const port = await listen(server);
    const agent = new https.Agent({ ca, keepAlive: true });
    const ask = async (headers: object = {}): Promise<{ reused: boolean; resumed: boolean }> => {
      const made = https.get({ port, host: 'localhost', agent, headers: { ...headers } });
      const response = await new Promise<http.IncomingMessage>((resolve) => made.on('response', resolve));
      const resumed = (response.socket as nodeTls.TLSSocket).isSessionReused();
      await text(response);
      return { reused: made.reusedSocket, resumed };
    };
    expect(await ask()).toEqual({ reused: false, resumed: false });
    expect(await ask({ connection: 'close' })).toEqual({ reused: true, resumed: false });
    expect(await ask()).toEqual({ reused: false, resumed: true });
    agent.destroy();
  });

  test('fetch uses it', async () => {
    const server = https.createServer(serverIdentity, (_request, response) => response.end('hello'));
    const port = await listen(server);
    const sockets: unknown[] = [];
    server.on('secureConnection', (socket) => sockets.push(socket));
    await expect(fetch(`https://localhost:${port}/`)).rejects.toMatchObject({
      cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    });
    const before = nodeTls.createSecureContext;
    nodeTls.createSecureContext = (options) => before({ ...options, ca });
    const answer = await fetch(`https://localhost:${port}/`).finally(() => {
      nodeTls.createSecureContext = before;
    });
    expect(await answer.text()).toBe('hello');
    expect(sockets[0]).toBeInstanceOf(door.TLSSocket);
  });

  test('HTTP/2 with a fallback to HTTP/1', async () => {
    const server = http2.createSecureServer({ ...serverIdentity, allowHTTP1: true }, (request, response) => {
      response.end(`${request.httpVersion} ${(request.socket as nodeTls.TLSSocket).alpnProtocol}`);
    });
    const port = await listen(server);
    const session = track(earlyHttp2Connect(`https://localhost:${port}`, { ca }));
    expect(await text(session.request({ ':path': '/' }).end())).toBe('2.0 h2');
    expect((session.socket as nodeTls.TLSSocket).encrypted).toBe(true);
    const made = https.get({
      port,
      host: 'localhost',
      ca,
      agent: false,
      ALPNProtocols: ['http/1.1'],
    } as object);
    const response = await new Promise<http.IncomingMessage>((resolve) => made.on('response', resolve));
    expect(await text(response)).toBe('1.1 http/1.1');
    session.close();
  });

  test('what programs replace on the module counts', async () => {
    const port = await listen(nodeTls.createServer(serverIdentity));
    const { checkServerIdentity } = nodeTls;
    const names: string[] = [];
    nodeTls.checkServerIdentity = (name) => {
      names.push(name);
      return new Error('not this one');
    };
    const refused = await outcome(nodeTls.connect({ port, host: 'localhost', ca }));
    nodeTls.checkServerIdentity = checkServerIdentity;
    expect(refused).toBe('not this one');
    expect(names).toEqual(['localhost']);
    expect(await outcome(nodeTls.connect({ port, host: 'localhost', ca }))).toBe('secure');
    nodeTls.DEFAULT_MAX_VERSION = 'TLSv1.2';
    const old = track(nodeTls.connect({ port, host: 'localhost', ca }));
    nodeTls.DEFAULT_MAX_VERSION = 'TLSv1.3';
    await outcome(old);
    expect(old.getProtocol()).toBe('TLSv1.2');
  });

  test('a context can be given more CAs, as libraries do that read those of the system', async () => {
    const port = await listen(nodeTls.createServer(serverIdentity));
    const secureContext = nodeTls.createSecureContext();
    expect(await outcome(nodeTls.connect({ port, host: 'localhost', secureContext }))).toMatch(
      /unable to verify/,
    );
    (secureContext.context as { addCACert(pem: string): void }).addCACert(ca);
    expect(await outcome(nodeTls.connect({ port, host: 'localhost', secureContext }))).toBe('secure');
  });
});

async function firstSocket(server: NetServer): Promise<unknown> {
  const port = await listen(server);
  const accepted = new Promise((resolve) => server.once('secureConnection', resolve));
  track(nodeTls.connect({ port, host: 'localhost', ca, ALPNProtocols: ['h2', 'http/1.1'] })).on(
    'error',
    () => {},
  );
  return accepted;
}

async function outcome(socket: nodeTls.TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    track(socket).on('error', (error) => resolve(error.message));
    socket.on('secureConnect', () => resolve('secure'));
  });
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
