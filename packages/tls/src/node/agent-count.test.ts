import type { ClientRequest, ServerResponse } from 'node:http';
import nodeHttps from 'node:https';
import { createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import ourHttps from './https.ts';
import { settled } from './testing/story.ts';
import { ca, closeAll, listen, serverIdentity, track } from './testing/support.ts';

afterEach(closeAll);

const BOTH = [
  ['ours', ourHttps],
  ['Node\u2019s', nodeHttps as unknown as typeof ourHttps],
] as const;

async function refused(): Promise<number> {
  const server = createNetServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function treating(treat: (socket: Socket) => void): Promise<number> {
  return await listen(
    createNetServer((socket) => {
      track(socket).on('error', () => {});
      treat(socket);
    }),
  );
}

const FAILURES: Readonly<Record<string, () => Promise<number>>> = {
  refused: refused,
  'reset at once': () => treating((socket) => socket.resetAndDestroy()),
  'reset in the handshake': () => treating((socket) => socket.once('data', () => socket.resetAndDestroy())),
  'ended in the handshake': () => treating((socket) => socket.once('data', () => socket.end())),
  'answered with something else': () =>
    treating((socket) => socket.once('data', () => socket.end('no TLS\r\n\r\n'))),
};

/** The agent counts, which its types do not say. */
type Counting = { readonly totalSocketCount: number };

const closed = async (request: ClientRequest): Promise<void> =>
  new Promise((resolve) =>
    request
      .on('error', () => {})
      .once('close', resolve)
      .end(),
  );

describe.each(BOTH)('an agent of %s counts its sockets when they are', (_name, https) => {
  test.each(Object.entries(FAILURES))('%s', async (_failure, open) => {
    const port = await open();
    const agent = new https.Agent({ ca, keepAlive: true, maxTotalSockets: 2 });
    for (let round = 0; round < 3; round++) {
      const requests = Array.from({ length: 4 }, () => closed(https.request({ port, agent })));
      expect((agent as unknown as Counting).totalSocketCount).toBe(2);
      await Promise.all(requests);
      await settled();
      expect((agent as unknown as Counting).totalSocketCount).toBe(0);
    }
  });

  test('destroyed by their users', async () => {
    const port = await treating((socket) => socket.resume());
    const agent = new https.Agent({ ca, maxTotalSockets: 3 });
    const requests = [0, 1, 2].map(() => https.request({ port, agent }));
    const all = requests.map(closed);
    expect((agent as unknown as Counting).totalSocketCount).toBe(3);
    for (const request of requests) request.destroy();
    await Promise.all(all);
    await settled();
    expect((agent as unknown as Counting).totalSocketCount).toBe(0);
  });
});

test('maxTotalSockets holds after failures', async () => {
  const bad = await refused();
  let [now, most] = [0, 0];
  // Answered two by two, so that both connections are there whatever the machine does meanwhile.
  const waiting: ServerResponse[] = [];
  const server = ourHttps.createServer(serverIdentity, (_request, response) => {
    most = Math.max(most, now);
    if (waiting.push(response) === 2) for (const one of waiting.splice(0)) one.end('hello');
  });
  server.on('secureConnection', (socket: Socket) => {
    now++;
    socket.once('close', () => now--);
  });
  const port = await listen(server);
  const agent = new ourHttps.Agent({ ca, maxTotalSockets: 2 });
  await Promise.all(Array.from({ length: 6 }, () => closed(ourHttps.request({ port: bad, agent }))));
  const get = async (): Promise<void> => {
    const request = ourHttps.request({ port, agent, host: 'localhost' });
    request.on('response', (response) => response.resume());
    await closed(request);
  };
  await Promise.all(Array.from({ length: 10 }, get));
  expect(most).toBe(2);
});
