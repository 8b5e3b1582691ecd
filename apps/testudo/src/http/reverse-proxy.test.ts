import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { removeFolders } from '../testing/folder.ts';
import {
  connectTls,
  fetchFrom,
  keepAliveAgent,
  listenOn,
  rawExchange,
  readAll,
  standstill,
  startGateway,
  stopAll,
  type TestGateway,
  tcpServer,
} from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

async function proxyTo(listener: RequestListener, lines = ''): Promise<TestGateway> {
  const port = await listenOn(createServer(listener));
  return startGateway([`certificate: local\nproxy: http://127.0.0.1:${port}\n${lines}`]);
}

/** Answers with what it was asked, as JSON. */
const mirror: RequestListener = async (request, response) => {
  const body = await readAll(request);
  response.setHeader('Content-Type', 'application/json');
  response.end(
    JSON.stringify({
      method: request.method,
      url: request.url,
      headers: request.headers,
      raw: request.rawHeaders,
      body,
    }),
  );
};

interface Mirrored {
  method: string;
  url: string;
  headers: Record<string, string>;
  raw: string[];
  body: string;
}

describe('a request', () => {
  test('is passed on with who asked for what', async () => {
    const site = await proxyTo(mirror);
    const answer = await fetchFrom(site, '/a?b=c', {
      method: 'POST',
      body: 'hello',
      headers: { Host: 'example.test', Cookie: 'x=1', 'X-Own': 'kept' },
    });
    const seen = JSON.parse(answer.body) as Mirrored;
    expect(seen).toMatchObject({ method: 'POST', url: '/a?b=c', body: 'hello' });
    expect(seen.headers).toMatchObject({
      host: 'example.test',
      cookie: 'x=1',
      'x-own': 'kept',
      'content-length': '5',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'example.test',
      forwarded: 'for=127.0.0.1;proto=https;host="example.test"',
    });
  });

  test('cannot say who asked: those fields are written anew, also under other spellings', async () => {
    const site = await proxyTo(mirror);
    const forged = {
      'X-Forwarded-For': '6.6.6.6',
      X_Forwarded_For: '6.6.6.6',
      'X-Real-IP': '6.6.6.6',
      Forwarded: 'for=6.6.6.6',
      'X-Forwarded-Host': 'evil.test',
      'X-Forwarded-Port': '1',
    };
    const { body } = await fetchFrom(site, '/', { headers: forged });
    expect(body).not.toMatch(/6\.6\.6\.6|evil/);
    expect((JSON.parse(body) as Mirrored).headers['x-forwarded-for']).toBe('127.0.0.1');
  });

  test('can, behind a proxy that is trusted', async () => {
    const site = await proxyTo(mirror, 'trustForwarded: true');
    const headers = {
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Proto': 'http',
      Forwarded: 'for=6.6.6.6',
      X_Forwarded_For: '7.7.7.7',
    };
    const seen = JSON.parse((await fetchFrom(site, '/', { headers })).body) as Mirrored;
    expect(seen.headers).toMatchObject({
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      'x-forwarded-proto': 'http',
    });
    expect(seen.headers['forwarded']).toMatch(/^for=6\.6\.6\.6, for=127\.0\.0\.1;/);
    expect(JSON.stringify(seen)).not.toContain('7.7.7.7');
  });

  test('loses what belongs to its own connection', async () => {
    const site = await proxyTo(mirror);
    const { body } = await fetchFrom(site, '/', {
      headers: {
        Connection: 'close, X-Hop',
        'X-Hop': '1',
        TE: 'trailers',
        'Proxy-Authorization': 'secret',
        'Keep-Alive': 'x',
      },
    });
    const { headers } = JSON.parse(body) as Mirrored;
    for (const name of ['x-hop', 'te', 'proxy-authorization']) expect(headers).not.toHaveProperty(name);
    expect(headers['connection']).not.toContain('X-Hop');
  });

  test('keeps the path of the upstream before its own', async () => {
    const port = await listenOn(createServer(mirror));
    const site = await startGateway([`certificate: local\nproxy: http://127.0.0.1:${port}/app/`]);
    expect((JSON.parse((await fetchFrom(site, '/x')).body) as Mirrored).url).toBe('/app/x');
  });

  test('with a URL as its target is taken apart', async () => {
    const site = await proxyTo(mirror);
    const answer = await rawExchange(
      site,
      'GET http://other.test/p?q HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    const seen = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Mirrored;
    expect(seen.url).toBe('/p?q');
    expect(seen.headers['host']).toBe('other.test');
  });

  test('and its answer are streams, both at once', async () => {
    const site = await proxyTo((request, response) => void request.pipe(response));
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      servername: 'localhost',
      ca: site.ca,
      port: site.port,
      method: 'POST',
      agent: false,
    });
    outgoing.write('one');
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.setEncoding('utf8');
    expect((await once(response, 'data'))[0]).toBe('one');
    outgoing.write('two');
    expect((await once(response, 'data'))[0]).toBe('two');
    outgoing.end();
    response.resume();
    await once(response, 'end');
  });

  test('that the client gives up is given up behind, too', async () => {
    let gone: (() => void) | undefined;
    const isGone = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const site = await proxyTo((request, response) => {
      response.write('begin');
      request.socket.once('close', () => gone?.());
    });
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      servername: 'localhost',
      ca: site.ca,
      port: site.port,
      agent: false,
    });
    outgoing.on('error', () => undefined).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    outgoing.destroy();
    await isGone;
  });
});

describe('an answer', () => {
  test('comes back with its status and fields, without those of its connection', async () => {
    const site = await proxyTo((_request, response) => {
      response.writeHead(418, 'Teapot', [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Own', 'kept'],
        ['Connection', 'X-Hop'],
        ['X-Hop', 'dropped'],
      ]);
      response.end('short');
    }, 'hsts: true');
    const answer = await fetchFrom(site, '/');
    expect(answer).toMatchObject({ status: 418, body: 'short' });
    expect(answer.headers).toMatchObject({
      'set-cookie': ['a=1', 'b=2'],
      'x-own': 'kept',
      'strict-transport-security': 'max-age=31536000',
    });
    expect(answer.headers).not.toHaveProperty('x-hop');
  });

  test('to HEAD has a length and no body', async () => {
    const site = await proxyTo((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1234 });
      response.end();
    });
    const answer = await fetchFrom(site, '/', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers['content-length']).toBe('1234');
  });

  test('that breaks off breaks off here, too: half of it must not look whole', async () => {
    const site = await proxyTo((_request, response) => {
      response.write('half', () => response.destroy());
    });
    await expect(fetchFrom(site, '/')).rejects.toThrow();
  });

  test('waits for a client that reads slowly', async () => {
    let written = 0;
    const chunk = Buffer.alloc(65_536);
    const site = await proxyTo((_request, response) => {
      const more = (): void => {
        do written += chunk.length;
        while (response.write(chunk) && written < 64 * 1024 * 1024);
        response.once('drain', more);
      };
      more();
    });
    const socket = await connectTls(site.port, { ca: site.ca });
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await standstill(() => written)).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('a server behind that fails', () => {
  test('by not being there is a 502 that tells the client nothing of it', async () => {
    const server = createTcpServer();
    const free = await listenOn(server);
    server.close();
    await once(server, 'close');
    const site = await startGateway([`certificate: local\nproxy: http://127.0.0.1:${free}`]);
    const answer = await fetchFrom(site, '/');
    expect(answer.status).toBe(502);
    expect(answer.body).toContain('502 Bad Gateway');
    expect(answer.body).not.toContain(String(free));
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(site.lines().some(({ reason }) => reason === 'connection refused: nothing listens there')).toBe(
      true,
    );
  });

  test('by not answering is a 504', async () => {
    const site = await proxyTo(() => undefined, 'limits: { firstByte: 100ms }');
    expect(await fetchFrom(site, '/')).toMatchObject({ status: 504 });
  });

  test('by answering with something else than HTTP is a 502', async () => {
    const port = await tcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    const site = await startGateway([`certificate: local\nproxy: http://127.0.0.1:${port}`]);
    expect(await fetchFrom(site, '/')).toMatchObject({ status: 502 });
  });

  test('by closing an idle connection is asked again', async () => {
    let served = 0;
    const server = createServer((_request, response) => {
      served++;
      response.end('ok');
    });
    const port = await listenOn(server);
    const site = await startGateway([`certificate: local\nproxy: http://127.0.0.1:${port}`]);
    expect(await fetchFrom(site, '/')).toMatchObject({ body: 'ok' });
    server.closeIdleConnections();
    expect(await fetchFrom(site, '/')).toMatchObject({ status: 200, body: 'ok' });
    expect(served).toBe(2);
  });
});

describe('requests that two servers could read in two ways never get through', () => {
  test.each([
    [
      'Content-Length next to Transfer-Encoding',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
      400,
    ],
    [
      'two Content-Lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 40\r\n\r\nxGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
      400,
    ],
    ['a Content-Length with a sign', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx', 400],
    [
      'a transfer coding in disguise',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      501,
    ],
    [
      'two transfer codings',
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
    ],
    [
      'two Transfer-Encodings',
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      501,
    ],
    [
      'a space before the colon',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 400],
    ['a bare line feed', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n', 400],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: a/b"c\r\nConnection: close\r\n\r\n', 400],
    ['a target that is no path', 'GET a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['a target with a tab', 'GET /a\tb HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['a target with a user', 'GET http://a:b@c/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    [
      'a chunk size that is none',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n',
      400,
    ],
    ['fields without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s', async (_, text, status) => {
    const urls: string[] = [];
    const site = await proxyTo((request, response) => {
      urls.push(request.url!);
      request.resume();
      request.once('end', () => response.end('through'));
      request.once('error', () => undefined);
    });
    const answer = await rawExchange(site, text);
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(answer).not.toContain('through');
    expect(urls).not.toContain('/smuggled');
  });

  test('CONNECT opens no tunnel', async () => {
    const site = await proxyTo(mirror);
    const socket = await connectTls(site.port, { ca: site.ca });
    socket.write('CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n');
    const closed = once(socket, 'close');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await closed;
    expect(text).not.toContain('200');
  });
});

describe('a WebSocket', () => {
  const HANDSHAKE =
    'GET /chat HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';

  async function chatServer(seen: IncomingMessage[] = []): Promise<TestGateway> {
    const server = createServer(mirror);
    server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
      seen.push(request);
      socket.on('error', () => undefined);
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhi ',
      );
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    });
    return startGateway([`certificate: local\nproxy: http://127.0.0.1:${await listenOn(server)}`]);
  }

  test('is passed on, and then bytes both ways', async () => {
    const seen: IncomingMessage[] = [];
    const site = await chatServer(seen);
    const socket = await connectTls(site.port, { ca: site.ca });
    const text = readAll(socket);
    // The first frame right behind the handshake, as an eager client does.
    socket.end(`${HANDSHAKE}\r\nfirst frame`);
    const answer = await text;
    expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(answer).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(answer.endsWith('\r\n\r\nhi first frame')).toBe(true);
    expect(seen[0]!.headers).toMatchObject({
      host: 'example.test',
      'x-forwarded-for': '127.0.0.1',
      'sec-websocket-version': '13',
    });
  });

  test('that the server behind refuses is answered with its refusal', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    );
    const site = await startGateway([
      `certificate: local\nproxy: http://127.0.0.1:${await listenOn(server)}`,
    ]);
    const answer = await rawExchange(site, `${HANDSHAKE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(answer.endsWith('\r\n\r\nno')).toBe(true);
  });

  test('where nothing is behind is a 502', async () => {
    const server = createTcpServer();
    const free = await listenOn(server);
    server.close();
    await once(server, 'close');
    const site = await startGateway([`certificate: local\nproxy: http://127.0.0.1:${free}`]);
    expect(await rawExchange(site, `${HANDSHAKE}\r\n`)).toMatch(/^HTTP\/1\.1 502 /);
  });

  test('ends on one side when it breaks on the other', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.once('data', () => socket.destroy());
    });
    const site = await startGateway([
      `certificate: local\nproxy: http://127.0.0.1:${await listenOn(server)}`,
    ]);
    const socket = await connectTls(site.port, { ca: site.ca });
    socket.write(`${HANDSHAKE}\r\n`);
    await once(socket, 'data');
    socket.write('x');
    await once(socket, 'close');
  });
});

test('a kept connection carries many requests', async () => {
  const site = await proxyTo(mirror);
  const agent = keepAliveAgent();
  for (let i = 0; i < 5; i++)
    expect(await fetchFrom(site, `/${i}`, { agent })).toMatchObject({ status: 200 });
  expect(site.gateway.connections).toBe(1);
});
