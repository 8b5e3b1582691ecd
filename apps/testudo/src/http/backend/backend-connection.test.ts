import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { removeFolders } from '../../testing/folder.ts';
import { standstill, stopAll } from '../../testing/test-gateway.ts';
import { between } from '../../testing/wire.ts';

afterEach(stopAll);
afterAll(removeFolders);

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a server behind that says more than it was asked for', () => {
  test.each([
    ['another answer', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL'],
    ['half an answer', 'HTTP/1.1 200 OK\r\nCont'],
    ['a 1xx', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['a 408', 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'],
    ['junk', 'junk'],
  ])('%s, while its connection is kept: the next request gets another one', async (_, more) => {
    const { client, server } = await between();
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write(OK);
    await wire.until('ok');
    behind.write(more);
    await behind.ended();
    wire.write(GET.replace('/x', '/next'));
    const other = await server();
    await other.until('/next');
    other.write(OK.replace('ok', 'me'));
    await wire.until('me');
    expect(wire.text).not.toMatch(/EVIL|102|408/);
  });

  test('nothing: the connection is used again', async () => {
    const { client, server, accepted } = await between();
    const wire = await client();
    wire.write(GET);
    const behind = await server();
    await behind.until('\r\n\r\n');
    for (const answer of ['ok', 'me', 'us']) {
      behind.write(OK.replace('ok', answer));
      await wire.until(answer);
      wire.write(GET.replace('/x', `/${answer}`));
      await behind.until(`/${answer}`);
    }
    expect(accepted()).toBe(1);
  });
});

test('a connection whose server keeps it no longer is not used again', async () => {
  const { client, server, accepted } = await between();
  const wire = await client();
  for (const timeout of ['timeout=1', 'max=9, timeout=0']) {
    wire.write(GET);
    const behind = await server();
    await behind.until('\r\n\r\n');
    behind.write(OK.replace('\r\n\r\n', `\r\nKeep-Alive: ${timeout}\r\n\r\n`));
    await wire.until('ok');
    wire.text = '';
  }
  expect(accepted()).toBe(2);
});

test('a connection whose answer was too much at once for the client is used again', async () => {
  const { client, server, accepted } = await between();
  const { socket } = await client();
  socket.removeAllListeners('data').write(GET);
  const behind = await server();
  await behind.until('\r\n\r\n');
  socket.pause();
  const length = 20_000_000;
  behind.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`);
  await standstill(() => socket.bytesRead);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.resume();
  await expect.poll(() => text.length, { timeout: 20_000 }).toBeGreaterThan(length);
  await expect.poll(() => text.length - text.indexOf('\r\n\r\n') - 4, { timeout: 20_000 }).toBe(length);
  socket.write(GET.replace('/x', '/next'));
  await behind.until('/next');
  behind.write(OK);
  await expect.poll(() => text.endsWith('ok'), { timeout: 20_000 }).toBe(true);
  expect(accepted()).toBe(1);
});

test('what comes in pieces is one answer', async () => {
  const { client, server } = await between();
  const wire = await client();
  wire.write(GET);
  const behind = await server();
  await behind.until('\r\n\r\n');
  behind.socket.setNoDelay(true);
  for (const piece of [
    'HTTP/1.1 2',
    '00 OK\r\nX-A: 1\r',
    '\nTransfer-Encoding: chun',
    'ked\r\n\r\n',
    '2\r',
    '\no',
  ]) {
    behind.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // The head does not wait for the end of the body.
  await wire.until('1\r\no\r\n');
  behind.write('k\r\n0\r\n\r\n');
  await wire.until('1\r\nk\r\n0\r\n\r\n');
  expect(wire.text).toMatch(/^HTTP\/1\.1 200 OK\r\nX-A: 1\r\n/);
});
