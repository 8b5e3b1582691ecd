import { once } from 'node:events';
import { createServer as createNetServer, connect as netConnect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { TlsError } from '../errors.ts';
import { TRUNCATED } from './errors/errors.ts';
import type { TLSSocket } from './socket/socket.ts';
import {
  ca,
  closeAll,
  closeOf,
  connected,
  errorOf,
  listen,
  nodes,
  ours,
  readAll,
  serverIdentity,
  track,
  VERSIONS,
} from './testing/support.ts';

afterEach(closeAll);

/** A tunnel to `port` that ends both ways, in TCP only, with the first bytes that come back after `after` was called. */
async function cuttingTunnel(port: number): Promise<{ port: number; cut(): void }> {
  const carried: Socket[] = [];
  const tunnel = createNetServer({ allowHalfOpen: true }, (near) => {
    const far = netConnect({ port, allowHalfOpen: true });
    carried.push(near);
    for (const one of [near, far]) track(one).on('error', () => {});
    near.pipe(far, { end: false });
    far.pipe(near, { end: false });
  });
  return { port: await listen(tunnel), cut: () => void carried.map((near) => near.end()) };
}

describe.each(VERSIONS)('an end of the transport without close_notify, %s', (maxVersion) => {
  async function cut(clientTls: typeof ours): Promise<{ said: string[]; client: TLSSocket }> {
    const server = ours.createServer({ ...serverIdentity, maxVersion, allowHalfOpen: true });
    const tunnel = await cuttingTunnel(await listen(server));
    const accepted = once(server, 'secureConnection');
    const client = track(clientTls.connect({ port: tunnel.port, ca }));
    const said: string[] = [];
    for (const event of ['data', 'end', 'error', 'finish', 'truncated']) {
      client.on(event, (detail) => said.push(event === 'data' ? String(detail) : event));
    }
    await once(client, 'secureConnect');
    const [peer] = (await accepted) as [TLSSocket];
    peer.write('half of');
    await once(client, 'data');
    const closed = once(client, 'close');
    tunnel.cut();
    said.push(`closed ${(await closed)[0]}`);
    return { said, client };
  }

  test('is the end, as in Node, and said', async () => {
    const theirs = await cut(nodes);
    const own = await cut(ours);
    expect(theirs.said).toEqual(['half of', 'end', 'finish', 'closed false']);
    expect(own.said).toEqual(['half of', 'truncated', 'end', 'finish', 'closed false']);
    expect(own.client.truncated).toBe(true);
  });

  test('leaves the other direction open, as in Node', async () => {
    for (const clientTls of [nodes, ours]) {
      const server = ours.createServer({ ...serverIdentity, maxVersion });
      const tunnel = await cuttingTunnel(await listen(server));
      const accepted = once(server, 'secureConnection');
      const client = track(clientTls.connect({ port: tunnel.port, ca, allowHalfOpen: true }));
      await once(client, 'secureConnect');
      const [peer] = (await accepted) as [TLSSocket];
      client.resume();
      tunnel.cut();
      await once(client, 'end');
      client.end('all the same');
      expect(String(await readAll(peer))).toBe('all the same');
      expect(peer.truncated).toBe(false);
    }
  });

  test('after close_notify is no truncation', async () => {
    const { client, accepted } = await connected(ours, ours, { maxVersion });
    let told = 0;
    client.on('truncated', () => told++);
    client.resume();
    accepted.end();
    await closeOf(client);
    expect([told, client.truncated]).toEqual([0, false]);
  });

  test.each([
    ['strict', true],
    ['strict about it alone', { closeNotify: true }],
  ])('is an error, and not the end, to a client that is %s', async (_, strict) => {
    const { client, accepted } = await connected(ours, ours, { maxVersion }, { strict });
    const said: string[] = [];
    for (const event of ['data', 'end', 'truncated']) {
      client.on(event, (detail) => said.push(event === 'data' ? String(detail) : event));
    }
    const failed = errorOf(client);
    await new Promise<void>((resolve) => accepted.write('half of', () => resolve()));
    accepted.transport.end();
    const error = await failed;
    expect(error).toMatchObject({ code: TRUNCATED, cause: { code: 'truncated' } });
    expect(error.cause).toBeInstanceOf(TlsError);
    expect(said).toEqual(['half of', 'truncated']);
    expect(client.truncated).toBe(true);
    expect(await closeOf(client)).toBe(true);
  });

  test('is an error to a strict server', async () => {
    const { client, accepted } = await connected(ours, ours, { maxVersion, strict: true });
    accepted.resume();
    const failed = errorOf(accepted);
    client.transport.end();
    expect(await failed).toMatchObject({ code: TRUNCATED });
  });
});

test.each([
  ['TLSv1.2', nodes],
  ['TLSv1.3', nodes],
  ['TLSv1.3', ours],
] as const)('%s: a server whose handler is c.end(text) is read to its end', async (maxVersion, serverTls) => {
  const server = serverTls.createServer({ ...serverIdentity, maxVersion }, (socket) => {
    socket.end('hello');
  });
  const client = track(ours.connect({ port: await listen(server), ca }));
  expect(String(await readAll(client))).toBe('hello');
});

test('destroy() sends no close_notify, so a peer that looks does not take it for a clean end', async () => {
  const { client, accepted } = await connected(ours, ours, { strict: true });
  accepted.resume();
  const failed = errorOf(accepted);
  client.destroy();
  expect(['ECONNRESET', TRUNCATED]).toContain((await failed).code);
});

test('a server whose client vanishes goes on without an error listener', async () => {
  for (const strict of [true, false]) {
    const server = ours.createServer({ ...serverIdentity, strict });
    const port = await listen(server);
    const accepted = once(server, 'secureConnection');
    const client = track(ours.connect({ port, ca }));
    const [socket] = await accepted;
    socket.resume();
    client.destroy();
    await closeOf(socket);
  }
});

describe('a transport that is destroyed under the socket', () => {
  test('closes it, and that is said', async () => {
    const { client } = await connected(ours, ours);
    const told = once(client, 'truncated');
    const closed = closeOf(client);
    client.resume();
    client.transport.destroy();
    await told;
    expect(await closed).toBe(false);
  });

  test('fails a strict one', async () => {
    const { client } = await connected(ours, ours, {}, { strict: true });
    const failed = errorOf(client);
    client.resume();
    client.transport.destroy();
    expect(await failed).toMatchObject({ code: TRUNCATED });
  });
});
