import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { removeFolders } from '../testing/folder.ts';
import { stopAll } from '../testing/test-gateway.ts';
import { between } from '../testing/wire.ts';

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
