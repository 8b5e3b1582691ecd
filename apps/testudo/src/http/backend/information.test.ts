import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { removeFolders } from '../../testing/folder.ts';
import { stopAll } from '../../testing/test-gateway.ts';
import { between, type Wire } from '../../testing/wire.ts';

afterEach(stopAll);
afterAll(removeFolders);

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const SOCKET =
  'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** How often a text stands in another. */
function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Sends until the other side has had enough. */
async function flood(wire: Wire, text: string): Promise<void> {
  while (!wire.socket.destroyed && !wire.socket.readableEnded) {
    if (wire.socket.write(text)) await new Promise((resolve) => setImmediate(resolve));
    else
      await new Promise<void>((resolve) => {
        wire.socket.once('drain', resolve).once('close', resolve);
      });
  }
}

describe('1xx answers without end', () => {
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`;
  test.each([
    ['100', 'HTTP/1.1 100 Continue\r\n\r\n', GET],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n', GET],
    ['103 of many bytes', hint, GET],
    ['a status that nobody knows', 'HTTP/1.1 199 \r\n\r\n', GET],
    ['102, to a HEAD', 'HTTP/1.1 102 Processing\r\n\r\n', GET.replace('GET', 'HEAD')],
    ['102, to HTTP/1.0', 'HTTP/1.1 102 Processing\r\n\r\n', GET.replace('1.1', '1.0')],
    [
      '102, in the middle of a body',
      'HTTP/1.1 102 Processing\r\n\r\n',
      GET.replace('GET', 'PUT').replace('a\r\n', 'a\r\nContent-Length: 9\r\n'),
    ],
    ['102, before a WebSocket', 'HTTP/1.1 102 Processing\r\n\r\n', SOCKET],
    ['103 of many bytes, before a WebSocket', hint, SOCKET],
  ])('%s: end with 502 and one line of the log', async (_, information, request) => {
    const { client, server, site } = await between();
    const wire = await client();
    wire.write(request);
    const behind = await server();
    await behind.until('\r\n\r\n');
    await flood(behind, information.repeat(10));
    await wire.until('HTTP/1.1 502 Bad Gateway\r\n');
    expect(count(wire.text, 'HTTP/1.1 1')).toBeLessThanOrEqual(200);
    expect(wire.text.length).toBeLessThan(80_000);
    const warnings = site.lines().filter(({ level }) => Number(level) >= 40);
    expect(warnings).toMatchObject([
      { msg: 'the server does not answer', reason: expect.stringMatching(/interim answers \(1xx\)/) },
    ]);
  });

  test.each([
    ['an answer', GET, OK],
    [
      'a switch of protocols',
      SOCKET,
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello',
    ],
    ['an answer to a wish for a WebSocket', SOCKET, OK],
    [
      'a switch of protocols that nobody asked for',
      GET,
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello',
    ],
  ])('and then %s in the same read: it counts no more', async (_, request, last) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(request);
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(201) + last);
    await wire.until('HTTP/1.1 502 Bad Gateway\r\n');
    await behind.ended();
    expect(wire.text).not.toMatch(/HTTP\/1\.1 (200|101)/);
  });

  test('the next request is served', async () => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    await behind.until('\r\n\r\n');
    await flood(behind, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100));
    await wire.until('</html>');
    wire.write(GET);
    const other = await server();
    await other.until('\r\n\r\n');
    other.write(OK);
    await wire.until('ok');
  });
});

test('many 1xx answers before one that counts are all passed back', async () => {
  const { client, server } = await between();
  const wire = await client();
  wire.write(GET);
  const behind = await server();
  await behind.until('\r\n\r\n');
  for (let i = 0; i < 200; i++) behind.write(`HTTP/1.1 102 Processing\r\nX-Step: ${i}\r\n\r\n`);
  behind.write(OK);
  await wire.until('ok');
  expect(count(wire.text, 'HTTP/1.1 102 Processing\r\nX-Step: ')).toBe(200);
});
