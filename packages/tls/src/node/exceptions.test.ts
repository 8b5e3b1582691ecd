import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ca, closeAll, connected, listen, ours, readAll, serverIdentity, track } from './testing/support.ts';

let uncaught: Error[] = [];
let others: NodeJS.UncaughtExceptionListener[] = [];
const note = (error: Error): void => void uncaught.push(error);

beforeEach(() => {
  uncaught = [];
  // The test runner's own listeners would take the exceptions for failures.
  others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', note);
});

afterEach(() => {
  process.removeAllListeners('uncaughtException');
  for (const listener of others) process.on('uncaughtException', listener);
  closeAll();
});

function thrower(text: string, times = 1): () => void {
  let left = times;
  return () => {
    if (left-- > 0) throw new Error(text);
  };
}

describe('what a user\u2019s handler throws is an uncaught exception, and the connection goes on', () => {
  test('on data: nothing is lost or repeated', async () => {
    const { client, accepted } = await connected(ours, ours);
    const received: Buffer[] = [];
    const fail = thrower('data handler', 3);
    accepted.on('data', (chunk) => {
      received.push(chunk);
      fail();
    });
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i));
    client.end(sent);
    await once(accepted, 'end');
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    expect(uncaught.map(({ message }) => message)).toEqual(Array(3).fill('data handler'));
  });

  test('on secureConnect and secureConnection', async () => {
    const server = ours.createServer(serverIdentity, thrower('server handler'));
    server.on('secureConnection', () => {});
    const port = await listen(server);
    const accepted = new Promise<NodeJS.ReadableStream>((resolve) => {
      server.prependListener('secureConnection', resolve);
    });
    const client = track(ours.connect({ port, ca }, thrower('client handler')));
    client.end('still fine');
    expect(String(await readAll(await accepted))).toBe('still fine');
    expect(uncaught.map(({ message }) => message).sort()).toEqual(['client handler', 'server handler']);
  });

  test('in checkServerIdentity: there is no verdict, and so no connection', async () => {
    const server = ours.createServer(serverIdentity, (socket) => socket.on('error', () => {}).end('secret'));
    const port = await listen(server);
    const client = track(
      ours.connect({ port, ca, checkServerIdentity: thrower('no idea') as () => undefined }),
    );
    const said: string[] = [];
    for (const event of ['secureConnect', 'data', 'error']) client.on(event, () => said.push(event));
    await once(client, 'close');
    expect([client.authorized, said]).toEqual([false, []]);
    expect(uncaught.map(({ message }) => message)).toEqual(['no idea']);
  });

  test('in a write\u2019s callback', async () => {
    const { client, accepted } = await connected(ours, ours);
    client.write('one ', thrower('write callback'));
    client.write('two');
    client.end();
    expect(String(await readAll(accepted))).toBe('one two');
    expect(uncaught.map(({ message }) => message)).toEqual(['write callback']);
  });

  test('on session and keylog', async () => {
    const { port } = await connected(ours, ours);
    const client = track(ours.connect({ port, ca }));
    client.on('session', thrower('session'));
    client.once('keylog', thrower('keylog'));
    client.resume();
    client.end();
    await once(client, 'close');
    expect(new Set(uncaught.map(({ message }) => message))).toEqual(new Set(['session', 'keylog']));
  });
});

describe('what a user\u2019s callback throws during the handshake fails that handshake only, and is told there', () => {
  test.each([
    ['SNICallback', { SNICallback: thrower('chooser') }],
    ['ALPNCallback', { ALPNCallback: thrower('chooser') as unknown as () => string }],
  ])('%s', async (_name, options) => {
    const server = ours.createServer({ ...serverIdentity, ...options });
    const port = await listen(server);
    const refused = once(server, 'tlsClientError');
    const connect = () => track(ours.connect({ port, ca, servername: 'localhost', ALPNProtocols: ['a'] }));
    await expect(once(connect(), 'secureConnect')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await refused)[0]).toMatchObject({ message: 'chooser' });
    expect(uncaught).toEqual([]);
  });
});
