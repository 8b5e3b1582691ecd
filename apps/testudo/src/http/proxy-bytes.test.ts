import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { removeFolders } from '../testing/folder.ts';
import { readAll, stopAll } from '../testing/test-gateway.ts';
import { between, withoutOwn } from '../testing/wire.ts';

afterEach(stopAll);
afterAll(removeFolders);

/** The fields that the gateway adds to a request for the host `a`. */
const OWN =
  'Connection: keep-alive\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nForwarded: for=127.0.0.1;proto=https;host="a"\r\n';
const CHUNKED = `Transfer-Encoding: chunked\r\n${OWN}`;
const HIGH = 'caf\u00e9 \u00ff\u0080 \u00c3\u00a9';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Fields that mean something else when they come late (RFC 9110 §6.5.1). */
const FORBIDDEN = [
  'Authorization',
  'Cookie',
  'Host',
  'X-Forwarded-For',
  'x_forwarded_for',
  'X-Forwarded-Prefix',
  'Forwarded',
  'X-Real-IP',
  'Expect',
  'Range',
  'If-Match',
  'Cache-Control',
  'TE',
  'Upgrade',
];

describe('a request reaches the server behind byte by byte', () => {
  test.each([
    ['fields with bytes above 127', `X-High: ${HIGH}\r\n`, '', `X-High: ${HIGH}\r\n${OWN}`, ''],
    [
      'names as they are written, in their order, as often as they stand there',
      'x-a: 1\r\nX-B: 2\r\nX-A: 3\r\nCookie: a=1\r\nCookie: b=2\r\naccept: */*\r\nACCEPT: text/x\r\n',
      '',
      `x-a: 1\r\nX-B: 2\r\nX-A: 3\r\nCookie: a=1\r\nCookie: b=2\r\naccept: */*\r\nACCEPT: text/x\r\n${OWN}`,
      '',
    ],
    ['an empty field', 'X-Empty:\r\n', '', `X-Empty: \r\n${OWN}`, ''],
    ['a body with a length', 'Content-Length: 5\r\n', 'hello', `Content-Length: 5\r\n${OWN}`, 'hello'],
    ['an empty body with a length', 'Content-Length: 0\r\n', '', `Content-Length: 0\r\n${OWN}`, ''],
    [
      'a body in chunks',
      'Transfer-Encoding: chunked\r\n',
      '5;ext=1\r\nhello\r\n0\r\n\r\n',
      CHUNKED,
      '5\r\nhello\r\n0\r\n\r\n',
    ],
    [
      'fields behind a body',
      'Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n',
      `1\r\na\r\n0\r\nX-Sum: ${HIGH}\r\n${FORBIDDEN.map((name) => `${name}: 6.6.6.6\r\n`).join('')}X-Sum: 2\r\n\r\n`,
      `Trailer: X-Sum\r\n${CHUNKED}`,
      `1\r\na\r\n0\r\nX-Sum: ${HIGH}\r\nX-Sum: 2\r\n\r\n`,
    ],
    [
      'a wish for trailers',
      'TE: deflate, trailers\r\nConnection: TE, X-Hop\r\nX-Hop: 1\r\n',
      '',
      `TE: trailers\r\n${OWN.replace('keep-alive', 'keep-alive, TE')}`,
      '',
    ],
    ['what only looks like a body', 'X-Content-Length: 5\r\n', '', `X-Content-Length: 5\r\n${OWN}`, ''],
  ])('%s', async (_, fields, body, expected, expectedBody) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(`POST /p?q=%zz HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`);
    const behind = await server();
    const whole = `POST /p?q=%zz HTTP/1.1\r\nHost: a\r\n${expected}\r\n${expectedBody}`;
    await behind.until(whole.slice(-20));
    behind.write(OK);
    await wire.until('ok');
    expect(behind.text).toBe(whole);
  });

  test.each(['GET', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'PROPFIND'])(
    'a body of %s in chunks stays in chunks: what is in it is no second request',
    async (method) => {
      const { client, server, accepted } = await between();
      const wire = await client();
      const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
      wire.write(
        `${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
      );
      const behind = await server();
      await behind.until('0\r\n\r\n');
      expect(behind.text).toBe(
        `${method} / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
      );
      expect(accepted()).toBe(1);
    },
  );

  test.each([
    ['GET http://b.test/x/../y?a|b HTTP/1.1\r\nHost: a\r\n', 'GET /x/../y?a|b HTTP/1.1\r\nHost: b.test\r\n'],
    ['GET https://b.test:8443 HTTP/1.1\r\nHost: a\r\n', 'GET / HTTP/1.1\r\nHost: b.test:8443\r\n'],
    ['GET HTTP://b.test?q HTTP/1.1\r\nHost: a\r\n', 'GET /?q HTTP/1.1\r\nHost: b.test\r\n'],
    ['OPTIONS http://b.test HTTP/1.1\r\nHost: a\r\n', 'OPTIONS * HTTP/1.1\r\nHost: b.test\r\n'],
    ['OPTIONS * HTTP/1.1\r\nHost: a\r\n', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n'],
    ['GET //x//y HTTP/1.1\r\nHost: a\r\n', 'GET //x//y HTTP/1.1\r\nHost: a\r\n'],
    [
      'GET /%2e%2e/%41 HTTP/1.1\r\nX-First: 1\r\nhOST: a\r\n',
      'GET /%2e%2e/%41 HTTP/1.1\r\nX-First: 1\r\nhOST: a\r\n',
    ],
  ])('%j', async (request, expected) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(`${request}\r\n`);
    const behind = await server();
    await behind.until('\r\n\r\n');
    expect(behind.text.slice(0, expected.length)).toBe(expected);
  });

  test('HTTP/1.0 becomes 1.1, without what 1.0 has not', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx');
    const behind = await server();
    await behind.until('\r\n\r\nx');
    expect(behind.text).toMatch(/^POST \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nContent-Length: 1\r\n/);
    expect(behind.text).not.toContain('Expect');
    behind.write(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    );
    expect(withoutOwn(await readAll(wire.socket))).toBe('HTTP/1.1 200 OK\r\n\r\nok');
  });
});

describe('an answer reaches the client byte by byte', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const HEAD = GET.replace('GET', 'HEAD');

  test.each([
    [
      'bytes above 127',
      GET,
      `HTTP/1.1 200 ${HIGH}\r\nX-High: ${HIGH}\r\nContent-Length: 2\r\n\r\n\u00e9\u00ff`,
    ],
    [
      'bytes above 127, with no body',
      HEAD,
      `HTTP/1.1 200 OK\r\nX-High: ${HIGH}\r\nContent-Length: 9\r\n\r\n`,
    ],
    [
      'bytes above 127 in chunks',
      GET,
      `HTTP/1.1 200 OK\r\nX-High: ${HIGH}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\u00e9\u00ff\r\n0\r\n\r\n`,
    ],
    [
      'names, order and repetitions',
      GET,
      'HTTP/1.1 299 Strange\r\nx-a: 1\r\nSet-Cookie: b=1\r\nX-B: 2\r\nset-cookie: c=2\r\nX-A: 3\r\nVary: a\r\nVary: b\r\nContent-Length: 2\r\n\r\nok',
    ],
    ['its own Date and Server', GET, 'HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 0\r\n\r\n'],
    ['no reason', GET, 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok'],
    ['204', GET, 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n'],
    ['304 with a length', GET, 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 1234\r\n\r\n'],
    ['a length for HEAD', HEAD, 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n'],
    ['no length for HEAD', HEAD, 'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n'],
    [
      'fields behind the body',
      GET,
      `HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: ${HIGH}\r\nX-Sum: 2\r\n\r\n`,
    ],
    [
      'a 1xx before it',
      GET,
      `HTTP/1.1 103 Early Hints\r\nLink: </${HIGH}>\r\nlink: </b>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 Odd\r\nA: b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}`,
    ],
  ])('%s', async (_, request, answer) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(request);
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write(answer);
    const last = answer.slice(answer.lastIndexOf('HTTP/1.1 '));
    await wire.until(last.slice(last.indexOf('\r\n\r\n')));
    // The same connection takes another request: the answer's end is clear.
    wire.text = wire.text.replace(/^Date: .*\r\n/gm, '');
    expect(withoutOwn(wire.text)).toBe(answer);
    wire.text = '';
    wire.write(GET);
    // Node gives up the connection behind after some answers that have no body.
    const again = await behind.until('\r\n\r\nGET').then(() => behind, server);
    again.write(OK);
    await wire.until('\r\n\r\nok');
    expect(withoutOwn(wire.text)).toBe(OK);
  });

  test('a Date stays, and stands where it stood', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    behind.write('HTTP/1.1 200 OK\r\nA: 1\r\ndate: yesterday\r\nB: 2\r\nContent-Length: 0\r\n\r\n');
    await wire.until('\r\n\r\n');
    expect(wire.text).toMatch(
      /^HTTP\/1\.1 200 OK\r\nA: 1\r\ndate: yesterday\r\nB: 2\r\nContent-Length: 0\r\n/,
    );
    expect(wire.text.match(/^date/gim)).toHaveLength(1);
  });

  test.each([
    [
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok',
      OK,
    ],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nTrailer: X\r\nContent-Length: 2\r\n\r\nok', OK],
  ])('%j loses what belongs to its own connection', async (answer, expected) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    behind.write(answer);
    await wire.until(expected.slice(expected.indexOf('\r\n\r\n')));
    expect(withoutOwn(wire.text)).toBe(expected);
  });

  test('that ends with its connection comes in chunks', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    behind.socket.end('HTTP/1.0 200 OK\r\nA: b\r\n\r\nall of it');
    await wire.until('0\r\n\r\n');
    expect(withoutOwn(wire.text)).toBe(
      'HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n',
    );
  });

  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf'],
  ])('that breaks off in the middle of %s is seen as incomplete', async (_, answer) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    behind.socket.end(answer);
    await wire.closed();
    expect(wire.text).toContain('half');
    expect(wire.text.endsWith('0\r\n\r\n')).toBe(false);
  });
});

test('no field is missing, however many there are', async () => {
  const many = Array.from({ length: 1500 }, (_, i) => `a: ${i}\r\n`).join('');
  const { client, server } = await between();
  const wire = await client();
  wire.write(`GET / HTTP/1.1\r\nHost: a\r\n${many}\r\n`);
  const behind = await server();
  await behind.until('\r\n\r\n');
  expect(behind.text).toBe(`GET / HTTP/1.1\r\nHost: a\r\n${many}${OWN}\r\n`);
  behind.write(`HTTP/1.1 200 OK\r\n${many}Content-Length: 2\r\n\r\nok`);
  await wire.until('\r\n\r\nok');
  expect(withoutOwn(wire.text)).toBe(`HTTP/1.1 200 OK\r\n${many}Content-Length: 2\r\n\r\nok`);
});
