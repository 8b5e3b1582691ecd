import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { afterEach, describe, expect, test } from 'vitest';
import type { TLSSocket } from './index.ts';
import {
  ca,
  closeAll,
  listen,
  MATRIX,
  nodes,
  ours,
  readAll,
  serverIdentity,
  type Tls,
  track,
} from './testing/support.ts';

afterEach(closeAll);

/** An HTTP server behind a TLS server, as a program does it that brings its own TLS. */
async function serve(
  tls: Tls,
  handler: http.RequestListener,
  options: object = {},
): Promise<{ port: number; httpServer: http.Server }> {
  const httpServer = http.createServer(handler);
  const server = tls.createServer({ ...serverIdentity, ...options });
  server.on('secureConnection', (socket) => httpServer.emit('connection', socket));
  return { port: await listen(server), httpServer };
}

/** An agent whose connections are made by the given module. */
class Agent extends https.Agent {
  readonly tls: Tls;
  made = 0;

  constructor(tls: Tls, options: https.AgentOptions = {}) {
    super(options);
    this.tls = tls;
  }

  override createConnection(options: object): TLSSocket {
    this.made++;
    return track(this.tls.connect(options));
  }
}

async function get(
  port: number,
  agent: https.Agent,
  options: https.RequestOptions = {},
  body?: Buffer,
): Promise<{ status: number | undefined; body: Buffer; headers: http.IncomingHttpHeaders }> {
  const request = https.request({
    port,
    host: 'localhost',
    ca,
    agent,
    method: body ? 'POST' : 'GET',
    ...options,
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode, body: await readAll(response), headers: response.headers };
}

describe.each(MATRIX)('HTTP/1.1: %s, %s', (_name, maxVersion, serverTls, clientTls) => {
  test('requests and large bodies both ways', async () => {
    const { port } = await serve(
      serverTls,
      (request, response) => {
        response.setHeader(
          'x-encrypted',
          String((request.socket as unknown as { encrypted: boolean }).encrypted),
        );
        request.pipe(response);
      },
      { maxVersion },
    );
    const body = randomBytes(1_000_000);
    const answer = await get(port, new Agent(clientTls), {}, body);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-encrypted': 'true' } });
    expect(answer.body.equals(body)).toBe(true);
  });

  test('an agent with keepAlive uses its connection again', async () => {
    const { port } = await serve(serverTls, (request, response) => response.end(request.url), { maxVersion });
    const agent = new Agent(clientTls, { keepAlive: true, maxSockets: 1 });
    const answers = await Promise.all(['/a', '/b', '/c'].map((path) => get(port, agent, { path })));
    expect(answers.map(({ body }) => String(body))).toEqual(['/a', '/b', '/c']);
    expect(agent.made).toBe(1);
    agent.destroy();
  });
});

describe('HTTP/1.1 over our server', () => {
  test('a connection that is to be closed is closed after the answer', async () => {
    const { port } = await serve(ours, (_request, response) => response.end('bye'));
    const socket = track(ours.connect({ port, ca }));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(String(await readAll(socket))).toMatch(/bye/);
  });

  test('a malformed request gets 400', async () => {
    const { port } = await serve(ours, () => {});
    const socket = track(ours.connect({ port, ca }));
    // The server destroys the socket after its answer, so the connection does not end cleanly.
    socket.on('error', () => {});
    socket.write('nonsense\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 400 Bad Request/);
  });

  test('the server sees the client\u2019s address and can limit its time', async () => {
    const { port, httpServer } = await serve(ours, (request, response) => {
      // Says who it was, and never ends.
      response.write(request.socket.remoteAddress);
    });
    const timedOut = once(httpServer, 'timeout');
    httpServer.timeout = 100;
    const socket = track(ours.connect({ port, ca }));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.on('error', () => {});
    const [data] = await once(socket, 'data');
    expect(String(data)).toContain('127.0.0.1');
    expect((await timedOut)[0].encrypted).toBe(true);
  });

  test('a client that goes away in the middle of a request is a clientError or an abort, not a crash', async () => {
    const gone = new Promise<void>((resolve) => {
      void serve(ours, (request) => request.on('close', resolve)).then(({ port }) => {
        const socket = track(ours.connect({ port, ca }));
        socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nsome');
        socket.once('secureConnect', () => setImmediate(() => socket.destroy()));
      });
    });
    await gone;
  });

  test('an upgrade hands over the socket', async () => {
    const { port, httpServer } = await serve(ours, () => {});
    httpServer.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    const request = https.request({
      port,
      host: 'localhost',
      ca,
      headers: { Connection: 'Upgrade', Upgrade: 'echo' },
      createConnection: (options: object) => track(ours.connect(options)),
    });
    request.end();
    const [, socket] = await once(request, 'upgrade');
    socket.write('over the upgraded connection');
    const [data] = await once(socket, 'data');
    expect(String(data)).toBe('over the upgraded connection');
  });
});

describe('HTTP/2', () => {
  test.each([
    ['our server, Node\u2019s client', ours, nodes],
    ['our server, our client', ours, ours],
    ['Node\u2019s server, our client', nodes, ours],
  ] as const)('%s: streams share a connection', async (_name, serverTls, clientTls) => {
    const httpServer = http2.createServer((request, response) => {
      response.setHeader('x-url', request.url);
      request.pipe(response);
    });
    const server = serverTls.createServer({ ...serverIdentity, ALPNProtocols: ['h2'] }, (socket) => {
      expect(socket.alpnProtocol).toBe('h2');
      httpServer.emit('connection', socket);
    });
    const port = await listen(server);
    const session = track(
      http2.connect(`https://localhost:${port}`, {
        createConnection: () =>
          clientTls.connect({
            port,
            host: '127.0.0.1',
            servername: 'localhost',
            ca,
            ALPNProtocols: ['h2'],
          }) as never,
      }),
    );
    const body = randomBytes(300_000);
    const answers = await Promise.all(
      ['/1', '/2', '/3'].map(async (path) => {
        const stream = session.request({ ':path': path, ':method': 'POST' });
        stream.end(body);
        const headers = once(stream, 'response');
        const received = await readAll(stream);
        return [(await headers)[0]['x-url'], received.equals(body)];
      }),
    );
    expect(answers).toEqual([
      ['/1', true],
      ['/2', true],
      ['/3', true],
    ]);
    session.close();
    await once(session, 'close');
  });
});
