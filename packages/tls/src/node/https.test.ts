import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import nodeHttps, { type Agent as HttpsAgent, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import nodeTls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { NODE_MAJOR } from './as-node/running-node.ts';
import { TRUNCATED } from './errors/errors.ts';
import http2 from './http2.ts';
import https, { Agent, createServer, get, request, Server } from './https.ts';
import { TLSSocket } from './index.ts';
import { ca, closeAll, closeOf, listen, ours, serverIdentity, track } from './testing/support.ts';

afterEach(closeAll);

const localhost = { host: 'localhost', ca } as const;

/** Looks like a URL and is none of Node's. */
function foreignUrl(text: string): URL {
  const { href, protocol, hostname, port, pathname, search, hash, username, password } = new URL(text);
  return { href, protocol, hostname, port, pathname, search, hash, username, password } as URL;
}

describe('https', () => {
  test('server and client are ours, and node:https is as it was', async () => {
    const server = createServer(serverIdentity, (_request, response) => response.end('hello'));
    const secured = once(server, 'secureConnection');
    const port = await listen(server);
    const made = get({ ...localhost, port });
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    expect(response.socket).toBeInstanceOf(TLSSocket);
    expect((await secured)[0]).toBeInstanceOf(TLSSocket);
    expect(await text(response)).toBe('hello');
    https.globalAgent.destroy();
    expect(nodeTls.Server).not.toBe(ours.Server);
    expect(nodeHttps.createServer()).not.toHaveProperty('addContext', (server as never)['addContext']);
  });

  test('Server may be called without new, has contexts and closes idle connections', async () => {
    const server = (Server as unknown as (options: object) => nodeHttps.Server)(serverIdentity);
    expect(server).toBeInstanceOf(nodeHttps.Server);
    server.addContext('other.example', serverIdentity);
    server.setTicketKeys(Buffer.alloc(48, 7));
    expect(server.getTicketKeys()).toEqual(Buffer.alloc(48, 7));
    await listen(server);
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  test.each([
    ['a URL', (port: number) => request(`https://localhost:${port}/path?q`, { ca, agent: false })],
    [
      'a URL object',
      (port: number) => request(new URL(`https://localhost:${port}/path?q`), { ca, agent: new Agent() }),
    ],
    [
      'a URL of another class, as in a test runner',
      (port: number) => request(foreignUrl(`https://localhost:${port}/path?q`), { ca, agent: false }),
    ],
    [
      'a URL and an agent',
      (port: number) =>
        request(foreignUrl(`https://localhost:${port}/path?q`), { agent: new Agent({ ca }) }, () => {}),
    ],
    ['options', (port: number) => request({ ...localhost, port, path: '/path?q', agent: false })],
    [
      'options that inherit their agent, which Node would not see',
      (port: number) =>
        request(Object.assign(Object.create({ agent: new Agent({ ca }) }), { port, path: '/path?q' })),
    ],
    ['options and an agent', (port: number) => request({ port, path: '/path?q', agent: new Agent({ ca }) })],
    [
      'a connection of one\u2019s own',
      (port: number) =>
        request({
          ...localhost,
          port,
          path: '/path?q',
          createConnection: () => ours.connect({ ...localhost, port }),
        }),
    ],
  ])('request takes %s', async (_, ask) => {
    const server = createServer(serverIdentity, (asked, response) => response.end(asked.url));
    const made = ask(await listen(server));
    made.end();
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    expect(response.socket).toBeInstanceOf(TLSSocket);
    expect(await text(response)).toBe('/path?q');
  });

  test('an agent keeps connections and resumes sessions', async () => {
    const server = createServer(serverIdentity, (_request, response) => response.end('hello'));
    const port = await listen(server);
    const agent = new Agent({ keepAlive: true, ca });
    const ask = async (headers: object): Promise<[boolean, boolean]> => {
      const made = get({ host: 'localhost', port, agent, headers: { ...headers } });
      const [response] = (await once(made, 'response')) as [IncomingMessage];
      const resumed = (response.socket as unknown as TLSSocket).isSessionReused();
      await text(response);
      return [made.reusedSocket, resumed];
    };
    expect(await ask({})).toEqual([false, false]);
    expect(await ask({ connection: 'close' })).toEqual([true, false]);
    expect(await ask({})).toEqual([false, true]);
    agent.destroy();
  });

  test('an agent finds a free connection by what it was made with, whatever becomes of the request\u2019s options', async () => {
    const server = createServer(serverIdentity, (_request, response) => response.end('hello'));
    const port = await listen(server);
    const agent = new Agent({ keepAlive: true, ca });
    const checkServerIdentity = (): undefined => undefined;
    const options = { host: 'localhost', port, agent, checkServerIdentity } as object & { host: string };
    const free = once(agent, 'free');
    const made = get(options);
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    const { socket } = response;
    options.host = 'elsewhere.example';
    await text(response);
    await free;
    const [[name, sockets] = [], ...others] = Object.entries(agent.freeSockets);
    expect([name!.startsWith(`localhost:${port}:`), sockets, others]).toEqual([true, [socket], []]);
    expect(agent.sockets).toEqual({});
    const again = get({ host: 'localhost', port, agent, checkServerIdentity } as object);
    await text(((await once(again, 'response')) as [IncomingMessage])[0]);
    // From Node 26 a connection with a check of its own is for one request.
    expect(again.reusedSocket).toBe(NODE_MAJOR < 26);
    agent.destroy();
  });

  test('an agent does not share a connection between requests that check the name in other ways', async () => {
    const server = createServer(serverIdentity, (_request, response) => response.end('hello'));
    const port = await listen(server);
    const agent = new Agent({ keepAlive: true, ca });
    const lenient = (): undefined => undefined;
    const strict = (): Error => new Error('never');
    const ask = (checkServerIdentity: () => Error | undefined): ClientRequest =>
      get({ host: 'localhost', port, agent, checkServerIdentity } as object);
    const [response] = (await once(ask(lenient), 'response')) as [IncomingMessage];
    await text(response);
    expect((await once(ask(strict), 'error'))[0]).toMatchObject({ message: 'never' });
    agent.destroy();
  });

  test('a certificate that is not for the name is refused', async () => {
    const port = await listen(createServer(serverIdentity));
    const made = get({ ...localhost, port, servername: 'other.example', agent: false });
    const [error] = await once(made, 'error');
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
});

describe('http2', () => {
  test('a client that only knows HTTP/1 is served, where the server allows it, and else told no', async () => {
    const answer = (asked: { httpVersion: string }, response: { end(text: string): void }): void => {
      response.end(asked.httpVersion);
    };
    const both = await listen(http2.createSecureServer({ ...serverIdentity, allowHTTP1: true }, answer));
    const old = get({ ...localhost, port: both, agent: false });
    const [response] = (await once(old, 'response')) as [IncomingMessage];
    expect(await text(response)).toBe('1.1');
    const session = track(http2.connect(`https://localhost:${both}`, { ca }));
    expect(await text(session.request().end())).toBe('2.0');
    session.close();
    const strict = await listen(http2.createSecureServer(serverIdentity, answer));
    const refused = get({ ...localhost, port: strict, agent: false, ALPNProtocols: ['http/1.1'] } as object);
    const [error] = await once(refused, 'error');
    expect(error).toMatchObject({ code: expect.stringMatching(/EPROTO|ECONNRESET/) });
  });

  test('a server without HTTP/2 is the session\u2019s error', async () => {
    const port = await listen(createServer(serverIdentity, (_request, response) => response.end()));
    const session = track(http2.connect(`https://localhost:${port}`, { ca }));
    const [error] = await once(session, 'error');
    expect(error).toBeInstanceOf(Error);
  });

  test('both sides; the session shows the socket\u2019s TLS', async () => {
    const server = http2.createSecureServer(serverIdentity, (asked, response) => {
      const socket = asked.socket as unknown as TLSSocket;
      response.end(
        JSON.stringify([socket.alpnProtocol, socket.getProtocol(), socket.remoteAddress !== undefined]),
      );
    });
    const port = await listen(server);
    const session = track(http2.connect(`https://localhost:${port}`, { ca }));
    await once(session, 'connect');
    expect(session.alpnProtocol).toBe('h2');
    expect((session.socket as TLSSocket).getPeerCertificate().subject).toBeDefined();
    expect(JSON.parse(await text(session.request().end()))).toEqual(['h2', 'TLSv1.3', true]);
    session.close();
  });

  test('a refused certificate is the session\u2019s error, before any connect', async () => {
    const port = await listen(http2.createSecureServer(serverIdentity));
    const session = track(http2.connect(`https://localhost:${port}`, () => expect.unreachable()));
    const [error] = await once(session, 'error');
    expect(error).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });

  test('a connection that breaks ends the session on the other side', async () => {
    const server = http2.createSecureServer(serverIdentity);
    server.on('sessionError', () => {});
    const served = once(server, 'session');
    const port = await listen(server);
    const session = track(http2.connect(`https://localhost:${port}`, { ca }));
    session.on('error', () => {});
    const connected = once(session, 'connect');
    const [accepted] = (await served) as [import('node:http2').ServerHttp2Session];
    await connected;
    const closed = closeOf(accepted);
    (session.socket as unknown as { transport: Socket }).transport.resetAndDestroy();
    await closed;
  });

  test('with writes under way on a connection that breaks, nothing asserts', async () => {
    const server = http2.createSecureServer(serverIdentity);
    server.on('sessionError', () => {});
    const big = Buffer.alloc(4_000_000);
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.respond();
      stream.end(big);
    });
    const port = await listen(server);
    for (let i = 0; i < 10; i++) {
      const session = track(http2.connect(`https://localhost:${port}`, { ca }));
      session.on('error', () => {});
      const stream = session.request();
      stream.on('error', () => {});
      const closed = closeOf(session);
      await once(stream, 'data');
      const { transport } = session.socket as unknown as { transport: Socket };
      if (i % 2 === 0) transport.resetAndDestroy();
      else transport.destroy(new Error('broken'));
      await closed;
    }
  });
});

describe('an end without close_notify', () => {
  /** A server that answers with these bytes and ends TCP only. */
  async function cutting(answer: string): Promise<number> {
    const server = ours.createServer(serverIdentity, (socket) => {
      socket.once('data', () => socket.write(answer, () => (socket.transport as Socket).end()));
    });
    return listen(server);
  }

  async function ask(port: number): Promise<{ made: ClientRequest; warned: Promise<unknown[]> }> {
    const made = get({ ...localhost, port, agent: false });
    const [socket] = (await once(made, 'socket')) as [TLSSocket];
    return { made, warned: once(socket, 'truncated') };
  }

  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('after an answer that told its end by %s is a warning only', async (_, answer) => {
    const made = get({ ...localhost, port: await cutting(answer), agent: new Agent({ keepAlive: true }) });
    const [socket] = (await once(made, 'socket')) as [TLSSocket];
    const [warned, closed] = [once(socket, 'truncated'), closeOf(socket)];
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    expect(await text(response)).toBe('hello');
    expect(response.complete).toBe(true);
    expect((await warned)[0]).toMatchObject({ code: TRUNCATED });
    await closed;
  });

  test('makes an answer without a length incomplete', async () => {
    const { made, warned } = await ask(await cutting('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello'));
    made.on('error', () => {});
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    await expect(text(response)).rejects.toMatchObject({ code: TRUNCATED });
    expect(response.complete).toBe(false);
    await warned;
  });

  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ])('in an answer that told its end by %s is what HTTP says', async (_, answer) => {
    const { made, warned } = await ask(await cutting(answer));
    made.on('error', () => {});
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    await expect(text(response)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(response.complete).toBe(false);
    await warned;
  });

  test('before the answer is a reset, as programs that ask again look for it', async () => {
    const { made, warned } = await ask(await cutting(''));
    const [error] = await once(made, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET', message: 'socket hang up' });
    await warned;
  });

  test('with close_notify an answer without a length is complete', async () => {
    const server = ours.createServer(serverIdentity, (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello'));
    });
    const made = get({ ...localhost, port: await listen(server), agent: false });
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    expect(await text(response)).toBe('hello');
    expect(response.complete).toBe(true);
  });

  test('of a client is no error of the server', async () => {
    const server = createServer(serverIdentity, (_request, response) => response.end('hello'));
    let clientError: unknown;
    server.on('clientError', (error) => {
      clientError = error;
    });
    const accepted = once(server, 'secureConnection');
    const port = await listen(server);
    const client = track(ours.connect({ ...localhost, port }));
    client.on('error', () => {});
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(client, 'data');
    const [socket] = (await accepted) as [TLSSocket];
    const closed = once(socket, 'close');
    (client.transport as Socket).end();
    expect(await closed).toEqual([false]);
    expect(clientError).toBeUndefined();
  });
});

describe('closure alerts', () => {
  /** The server's socket of a client that asked once and keeps its connection. */
  async function kept(): Promise<{
    agent: HttpsAgent;
    served: TLSSocket;
    socket: TLSSocket;
    server: HttpsServer;
  }> {
    const server = createServer(serverIdentity, (_request, response) => response.end('hello'));
    const accepted = once(server, 'secureConnection');
    const agent = new Agent({ keepAlive: true });
    const made = get({ ...localhost, port: await listen(server), agent });
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    const socket = response.socket as unknown as TLSSocket;
    await text(response);
    const [served] = (await accepted) as [TLSSocket];
    return { agent, served, socket, server };
  }

  /** What a socket says until it closes. */
  async function ending(socket: TLSSocket): Promise<string[]> {
    const said: string[] = [];
    for (const event of ['end', 'error', 'truncated']) socket.on(event, () => said.push(event));
    await closeOf(socket);
    return said;
  }

  test('an agent that gives up an idle connection says so', async () => {
    const { agent, served } = await kept();
    const said = ending(served);
    agent.destroy();
    expect(await said).toEqual(['end']);
  });

  test('and so does a server', async () => {
    const { server, socket } = await kept();
    const said = ending(socket);
    server.closeIdleConnections();
    expect(await said).toEqual(['end']);
  });

  test('a client that gives up in the middle of an answer does not', async () => {
    const server = createServer(serverIdentity, (_request, response) => response.write('the first part'));
    const accepted = once(server, 'secureConnection');
    const made = get({ ...localhost, port: await listen(server), agent: false });
    made.on('error', () => {});
    const [response] = (await once(made, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    await once(response, 'data');
    const [served] = (await accepted) as [TLSSocket];
    const said = ending(served);
    made.destroy();
    expect(await said).toContain('truncated');
  });

  test('after an upgrade, destroy() says so no more: the protocol may end where the connection does', async () => {
    for (const side of ['client', 'server']) {
      const { agent, server, served } = await kept();
      const upgraded = once(server, 'upgrade');
      const { port } = server.address() as AddressInfo;
      const made = get({ ...localhost, port, agent, headers: { connection: 'upgrade', upgrade: 'x' } });
      await upgraded;
      served.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
      const [, socket] = (await once(made, 'upgrade')) as [IncomingMessage, TLSSocket];
      expect(made.reusedSocket).toBe(true);
      for (const one of [socket, served]) one.on('error', () => {}).resume();
      const [near, far] = side === 'client' ? [socket, served] : [served, socket];
      const said = ending(far);
      near.destroy();
      expect(await said).toContain('truncated');
      agent.destroy();
    }
  });

  test('an HTTP/2 session that is closed says so', async () => {
    const server = http2.createSecureServer(serverIdentity, (_request, response) => response.end('hello'));
    const accepted = once(server, 'secureConnection');
    const session = track(http2.connect(`https://localhost:${await listen(server)}`, { ca }));
    expect(await text(session.request().end())).toBe('hello');
    const [served] = (await accepted) as [TLSSocket];
    const said = ending(served);
    session.close();
    expect(await said).not.toContain('truncated');
  });
});

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
