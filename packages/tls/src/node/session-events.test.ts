import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import nodeHttps from 'node:https';
import type { TLSSocket as NodesSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import ourHttps from './https.ts';
import type { ConnectionOptions, TlsOptions } from './index.ts';
import {
  BOTH,
  ca,
  closeAll,
  listen,
  nodes,
  ours,
  serverIdentity,
  type Tls,
  track,
  VERSIONS,
} from './testing/support.ts';

afterEach(closeAll);

type Story = readonly (readonly [string, ...unknown[]])[];

/** What a client can be asked and is told about its session, from the constructor to the end. */
async function storyOf(
  tls: Tls,
  port: number,
  options: ConnectionOptions,
): Promise<{ story: Story; session: Buffer | undefined }> {
  const story: [string, ...unknown[]][] = [];
  const socket = track(tls.connect({ port, ca, servername: 'localhost', ...options }));
  const has = (): unknown[] => [socket.getSession() !== undefined, socket.getTLSTicket() !== undefined];
  const last: { session: Buffer | undefined } = { session: undefined };
  if (options.session !== undefined) story.push(['made', ...has()]);
  socket.on('session', (session: Buffer) => {
    story.push(['session', socket.getSession()?.equals(session), ...has()]);
    last.session = session;
  });
  socket.once('secureConnect', () => {
    const isResumed = socket.isSessionReused();
    // What a full handshake of TLS 1.3 leaves before its tickets cannot be resumed; it is there all the same.
    story.push(['secureConnect', isResumed, ...has()]);
    if (isResumed) story.push(['as given', socket.getSession()?.equals(options.session!)]);
  });
  socket.on('data', () => story.push(['data']));
  await once(socket, 'end');
  return { story, session: last.session };
}

async function twice(tls: Tls, port: number, options: ConnectionOptions): Promise<readonly Story[]> {
  const first = await storyOf(tls, port, options);
  const second = await storyOf(tls, port, { ...options, session: first.session });
  return [first.story, second.story];
}

function sessionServer(tls: Tls, options: TlsOptions): ReturnType<Tls['createServer']> {
  const kept = new Map<string, Buffer>();
  const server = tls.createServer({ ...serverIdentity, ...options }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => socket.end(data));
    setImmediate(() => socket.end('hello'));
  });
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    kept.set(id.toString('hex'), session);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, kept.get(id.toString('hex')) ?? null);
  });
  return server;
}

describe.each(VERSIONS)('%s: a client\u2019s session is there when Node\u2019s is', (maxVersion) => {
  test.each([
    ['tickets', 0],
    ['no tickets', 0x4000],
  ])('%s', async (_name, secureOptions) => {
    const port = await listen(sessionServer(nodes, { maxVersion, secureOptions }));
    const expected = await twice(nodes, port, {});
    const seen = await twice(ours, port, {});
    // TLS 1.3 without tickets has tickets that only name the session; the server's store is asked by older clients.
    expect(seen[0]).toEqual(expected[0]);
    expect(seen[1]).toEqual(expected[1]);
  });
});

test('a session that is not resumed is not the connection\u2019s', async () => {
  const port = await listen(sessionServer(nodes, { maxVersion: 'TLSv1.3' }));
  const { session } = await storyOf(ours, port, {});
  const other = await listen(sessionServer(nodes, { maxVersion: 'TLSv1.2', secureOptions: 0x4000 }));
  const socket = track(ours.connect({ port: other, ca, servername: 'localhost', session }));
  await once(socket, 'secureConnect');
  expect(socket.isSessionReused()).toBe(false);
  expect(socket.getSession()).not.toEqual(session);
  expect(socket.getTLSTicket()).toBeUndefined();
});

describe('a ticket that comes together with the first answer', () => {
  test.each(BOTH)('is told before it: %s', async (_name, tls) => {
    // Our server's tickets leave with its first answer, in one write.
    const server = ours.createServer({ ...serverIdentity, maxVersion: 'TLSv1.3' }, (socket) => {
      socket.end('hello');
    });
    const { story } = await storyOf(tls, await listen(server), {});
    expect(story.map(([event]) => event).slice(0, 3)).toEqual(['secureConnect', 'session', 'session']);
    expect(story.at(-1)).toEqual(['data']);
  });

  test.each([
    ['ours', ourHttps],
    ['Node\u2019s', nodeHttps as unknown as typeof ourHttps],
  ])('is used by a request that the answer causes: %s', async (_name, https) => {
    const resumed: boolean[] = [];
    const server = ourHttps.createServer(serverIdentity, (request, response) => {
      resumed.push((request.socket as NodesSocket).isSessionReused());
      response.setHeader('connection', 'close');
      response.end('hello');
    });
    const port = await listen(server);
    const agent = new https.Agent({ ca, servername: 'localhost' });
    const get = (then: (response: IncomingMessage) => void): void => {
      https.get({ port, agent }, then);
    };
    await new Promise<void>((resolve) => {
      get((response) => {
        response.resume();
        get((second) => {
          second.resume();
          second.on('end', resolve);
        });
      });
    });
    expect(resumed).toEqual([false, true]);
  });
});
