import { once } from 'node:events';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { connectTls, startGateway, stopAll } from '../testing/test-gateway.ts';
import { between, Wire, withoutOwn } from '../testing/wire.ts';

afterEach(stopAll);
afterAll(removeFolders);

const HIGH = 'caf\u00e9 \u00ff\u0080 \u00c3\u00a9';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('Expect: 100-continue', () => {
  const ASK = 'PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n';

  test('is for the server behind to answer, and its 100 comes back', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(ASK);
    const behind = await server();
    await behind.until('\r\n\r\n');
    expect(behind.text).toContain('\r\nExpect: 100-continue\r\n');
    expect(wire.text).toBe('');
    behind.write('HTTP/1.1 100 Continue\r\n\r\n');
    await wire.until('\r\n\r\n');
    expect(wire.text).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    wire.write('body');
    await behind.until('body');
    behind.write(OK);
    await wire.until('ok');
    expect(withoutOwn(wire.text)).toBe(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    // The connection goes on.
    wire.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    await behind.until('/next');
  });

  test('that is refused brings the refusal, and no body goes on; the connection ends, since a body may be under way', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(ASK);
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno');
    await wire.until('no');
    expect(wire.text).toMatch(/^HTTP\/1\.1 413 Content Too Large\r\n/);
    expect(wire.text).toContain('\r\nConnection: close\r\n');
    await behind.ended();
    expect(behind.text.endsWith('\r\n\r\n')).toBe(true);
  });

  test('that is refused while the client sends all the same: it reads the whole refusal, and a clean end', async () => {
    const { client, server, accepted } = await between();
    const wire = await client();
    let error: Error | undefined;
    wire.socket.on('error', (one) => {
      error = one;
    });
    wire.write(ASK.replace('Content-Length: 4', 'Content-Length: 20000000'));
    const behind = await server();
    await behind.until('\r\n\r\n');
    wire.socket.pause();
    behind.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno');
    wire.write('x'.repeat(5_000_000));
    await once(wire.socket, 'drain');
    wire.socket.resume();
    await wire.ended();
    expect(wire.text).toMatch(/^HTTP\/1\.1 413 (.|\r\n)*\r\n\r\nno$/);
    expect(error).toBeUndefined();
    expect(accepted()).toBe(1);
  });

  test('with bytes above 127 in the fields', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(ASK.replace('Host: a', `Host: a\r\nX-High: ${HIGH}`));
    const behind = await server();
    await behind.until('\r\n\r\n');
    expect(behind.text).toContain(`\r\nX-High: ${HIGH}\r\n`);
  });

  test('another expectation is for the server behind, too', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n');
    const behind = await server();
    await behind.until('Expect: miracles');
    behind.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n');
    await wire.until('HTTP/1.1 417 Expectation Failed\r\n');
  });

  test('a folder answers at once, and asks for no body', async () => {
    const folder = folderWith({ 'a.txt': 'hello' });
    const site = await startGateway([`certificate: local\nfolder: ${folder}`]);
    const wire = new Wire(await connectTls(site.port, { ca: site.ca }));
    wire.write(ASK);
    await wire.until('\r\n\r\n');
    expect(wire.text).toMatch(/^HTTP\/1\.1 405 /);
  });
});

describe('behind a request', () => {
  test('a request behind an answer that ends the connection reaches nobody', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write(OK);
    await wire.ended();
    expect(behind.text).not.toContain('/2');
    expect(wire.text).toMatch(/\r\n\r\nok$/);
  });

  test.each([
    ['nonsense', 'nonsense\r\n\r\n'],
    ['a request without Host', 'GET /2 HTTP/1.1\r\n\r\n'],
    [
      'a request with two lengths',
      'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    ],
  ])('%s is refused after the answer, which is whole', async (_, text) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    await wire.until('\r\n\r\no');
    wire.write(text);
    wire.write('GET /3 HTTP/1.1\r\nHost: a\r\n\r\n');
    behind.write('k');
    await wire.ended();
    expect(wire.text).toMatch(/\r\n\r\nokHTTP\/1\.1 400 Bad Request\r\n/);
    expect(behind.text).not.toMatch(/\/[23]/);
  });
});

describe('an upload', () => {
  test('that is answered early: the client reads the answer, though the server behind takes no more', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.socket.end('HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno');
    behind.socket.destroySoon();
    await wire.until('\r\n\r\nno');
    expect(wire.text).toMatch(/^HTTP\/1\.1 413 /);
    wire.write('x'.repeat(1_000_000));
    // It has not been told to go on, so it may close.
    wire.socket.end();
  });

  test('that the server behind breaks off is a 502, also while it goes on', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nbegin');
    const behind = await server();
    await behind.until('begin');
    behind.socket.resetAndDestroy();
    await wire.until('502 Bad Gateway</h1>');
  });

  test('that the client breaks off is broken off behind', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n');
    const behind = await server();
    await behind.until('begin');
    wire.socket.destroy();
    await behind.ended();
    expect(behind.text.endsWith('0\r\n\r\n')).toBe(false);
  });
});

test('of requests in a row each reaches the server behind after the answer to the one before', async () => {
  const { client, server, accepted } = await between();
  const wire = await client();
  wire.write(
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  const behind = await server();
  await behind.until('/1');
  behind.write('HTTP/1.1 103 Early Hints\r\nLink: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1');
  await behind.until('\r\n\r\nx');
  expect(behind.text).not.toContain('/3');
  behind.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2');
  await behind.until('/3');
  behind.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3');
  await wire.until('\r\n\r\n3');
  expect([...wire.text.matchAll(/\r\n\r\n([123])/g)].map(([, digit]) => digit)).toEqual(['1', '2', '3']);
  expect(accepted()).toBe(1);
});

describe('a wish for another protocol that is not known is ignored', () => {
  const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

  test.each([
    ['h2c', 'GET', H2C, ''],
    ['TLS/1.0', 'OPTIONS', 'Connection: upgrade\r\nUpgrade: TLS/1.0\r\n', ''],
    ['h2c with a body', 'POST', `${H2C}Content-Length: 4\r\n`, 'body'],
    ['h2c with a body in chunks', 'POST', `${H2C}Transfer-Encoding: chunked\r\n`, '4\r\nbody\r\n0\r\n\r\n'],
    [
      'websocket of another method',
      'POST',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n',
      'body',
    ],
    [
      'websocket with a body',
      'GET',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n',
      'body',
    ],
  ])('by a proxy: %s', async (_, method, fields, body) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(
      `${method} /1 HTTP/1.1\r\nHost: a\r\nX-High: ${HIGH}\r\n${fields}\r\n${body}${body === '' ? 'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n' : ''}`,
    );
    const behind = await server();
    await behind.until('\r\n\r\n');
    if (body !== '') await behind.until(body);
    expect(behind.text).toContain(`${method} /1 HTTP/1.1\r\nHost: a\r\nX-High: ${HIGH}\r\n`);
    expect(behind.text).not.toMatch(/upgrade|h2c|http2-settings|websocket/i);
    behind.write(OK);
    if (body === '') {
      await behind.until('GET /2 ');
      behind.write(OK);
    }
    await wire.until('ok');
    expect(wire.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('by a proxy, behind other requests that are not answered yet', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(
      `GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n${H2C}\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    const behind = await server();
    for (const path of ['/1', '/2', '/3']) {
      await behind.until(`GET ${path} `);
      behind.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${path}`);
      await wire.until(`\r\n\r\n${path}`);
    }
  });

  test.each(['folder: .', 'welcome: true'])('by %s', async (service) => {
    const folder = folderWith({ 'index.html': 'hello' });
    const site = await startGateway([`certificate: local\n${service}`], { folder });
    const wire = new Wire(await connectTls(site.port, { ca: site.ca }));
    wire.write(`GET / HTTP/1.1\r\nHost: a\r\n${H2C}\r\n`);
    await wire.until('\r\n\r\n');
    expect(wire.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

test.each([
  ['GET http://localhost/index.html HTTP/1.1', 200],
  ['GET https://localhost HTTP/1.1', 200],
  ['GET http://localhost/?a=b HTTP/1.1', 200],
  ['GET http://localhost/none HTTP/1.1', 404],
  ['GET ftp://localhost/ HTTP/1.1', 400],
  ['GET http://user@localhost/ HTTP/1.1', 400],
  ['GET http:///index.html HTTP/1.1', 400],
])('a folder, asked %j', async (line, status) => {
  const folder = folderWith({ 'index.html': 'hello' });
  const site = await startGateway([`certificate: local\nfolder: ${folder}`]);
  const wire = new Wire(await connectTls(site.port, { ca: site.ca }));
  wire.write(`${line}\r\nHost: localhost\r\n\r\n`);
  await wire.until('\r\n\r\n');
  expect(wire.text.slice(9, 12)).toBe(String(status));
});

describe('an answer that is none', () => {
  test.each([
    ['a status below 100', 'HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok'],
    ['101 without a protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['101 for nobody', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nraw'],
    [
      'a coding that would get lost',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['a coding until the end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok'],
  ])('%s: 502, and the next request is served', async (_, answer) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write(answer);
    await wire.until('</html>\n');
    expect(wire.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    wire.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    const next = await server();
    await next.until('/next');
    next.write(OK);
    await wire.until('\r\n\r\nok');
  });

  test.each(['099 Odd', '101 Switching Protocols'])('%s to a WebSocket is none, either', async (status) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write(`HTTP/1.1 ${status}\r\n\r\n`);
    await wire.ended();
    expect(wire.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  });
});

test.each([
  ['CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n', 405],
  ['GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['GET http://b/x#y HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['GET /x HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['GET /x\r\n\r\n', 505],
])('%j is refused after the answer to what came before it', async (request, status) => {
  const { client, server, accepted } = await between();
  const wire = await client();
  wire.write(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${request}`);
  const behind = await server();
  await behind.until('\r\n\r\n');
  behind.write(OK);
  await wire.ended();
  expect(wire.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`]);
  expect(behind.text.match(/HTTP\/1\.1\r\n/g)).toHaveLength(1);
  expect(accepted()).toBe(1);
});

test('junk in many pieces behind a request is one refusal', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  const { client, server } = await between();
  const wire = await client();
  wire.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\nBAD\r\n\r\n');
  const behind = await server();
  await behind.until('\r\n\r\n');
  for (let i = 0; i < 20; i++) {
    wire.write('BAD\r\n\r\n');
    await new Promise((resolve) => setImmediate(resolve));
  }
  behind.write(OK);
  await wire.ended();
  process.off('warning', onWarning);
  expect(wire.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  expect(warnings).toEqual([]);
});
