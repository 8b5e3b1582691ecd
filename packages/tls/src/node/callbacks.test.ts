import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SniCallback } from './index.ts';
import {
  ca,
  closeAll,
  closeOf,
  connected,
  errorOf,
  listen,
  nodes,
  ours,
  serverIdentity,
  track,
} from './testing/support.ts';

/** What came out of nowhere while a test ran. */
let uncaught: unknown[] = [];
const keep = (error: unknown) => void uncaught.push(error);
beforeEach(() => {
  uncaught = [];
  process.on('uncaughtException', keep);
});
afterEach(() => {
  process.off('uncaughtException', keep);
  closeAll();
  expect(uncaught).toEqual([]);
});

type Call = (error?: unknown, value?: unknown) => void;

describe('who calls back with what is none', () => {
  test.each(['x', 1e12, {}])('from resumeSession fails that handshake only: %s', async (none) => {
    const server = ours.createServer({ ...serverIdentity, maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
    server.on('newSession', (_id: Buffer, _session: Buffer, done: () => void) => done());
    server.on('secureConnection', (socket) => void socket.on('error', () => {}).end('x'));
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost' }));
    await once(client, 'secureConnect');
    const session = client.getSession();
    await closeOf(client.resume().end());
    server.on('resumeSession', (_id: Buffer, done: Call) => done(null, none));
    const failed = once(server, 'tlsClientError');
    const again = track(ours.connect({ port, ca, servername: 'localhost', session }));
    expect(await errorOf(again)).toMatchObject({ code: 'ECONNRESET' });
    expect((await failed)[0]).toBeInstanceOf(Error);
  });

  test.each(['x', 1e12, {}])('from OCSPRequest fails that handshake only: %s', async (none) => {
    const server = ours.createServer(serverIdentity);
    server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, done: Call) => done(null, none));
    const failed = once(server, 'tlsClientError');
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost', requestOCSP: true }));
    expect(await errorOf(client)).toBeInstanceOf(Error);
    expect((await failed)[0]).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

test.each([undefined, null, false, 0, ''])(
  'SNICallback that answers %j leaves the server\u2019s own certificate, as in Node',
  async (answer) => {
    for (const serverTls of [ours, nodes]) {
      const SNICallback: SniCallback = (_name, callback) => callback(null, answer as undefined);
      const { client } = await connected(serverTls, ours, { SNICallback });
      expect(client.authorized).toBe(true);
    }
  },
);
