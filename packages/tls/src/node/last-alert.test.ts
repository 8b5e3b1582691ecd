import { once } from 'node:events';
import { connect, createServer as listener, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { connect as connectTls } from './client/connect.ts';
import { createServer } from './server/server.ts';
import { closeAll, serverIdentity, track } from './testing/support.ts';

// What ends a connection is an alert, and the peer sees it: a transport that is closed while bytes lie unread is reset, and
// a reset overtakes what was sent before it.

afterEach(closeAll);

/** What a client sees of a server that it sends `bytes` to, `more` in many pieces behind them. */
async function seen(first: Uint8Array, more: number): Promise<{ alert: string; error: string | undefined }> {
  const server = createServer({ ...serverIdentity });
  server.on('tlsClientError', () => {});
  track(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  track(socket);
  await once(socket, 'connect');
  return await seenBy(socket, first, more);
}

async function seenBy(
  socket: Socket,
  first: Uint8Array,
  more: number,
): Promise<{ alert: string; error: string | undefined }> {
  let error: string | undefined;
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => void chunks.push(chunk));
  socket.on('error', (each: NodeJS.ErrnoException) => {
    error = each.code;
  });
  // It reads when all is written, as a program does that sends a request and then looks for the answer.
  socket.pause();
  socket.write(first);
  for (let sent = 0; sent < more; sent += 16_384) await write(socket, Buffer.alloc(16_384, 0x17));
  if (!socket.destroyed) {
    socket.end();
    socket.resume();
    await once(socket, 'close');
  }
  return { alert: Buffer.concat(chunks).toString('hex'), error };
}

/** The same of a client, by a server that answers with `bytes` and more. */
async function seenOfClient(
  first: Uint8Array,
  more: number,
): Promise<{ alert: string; error: string | undefined }> {
  const server = listener({ allowHalfOpen: true });
  track(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectTls({ port: (server.address() as { port: number }).port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  await once(socket, 'data');
  return { ...(await seenBy(socket, first, more)) };
}

/** In pieces that come one by one; resolved, too, when it fails. */
function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, () => setImmediate(resolve)));
}

describe('an alert is seen by who has more under way', () => {
  test.each([0, 16_384, 200_000, 2_000_000])('a server of %i bytes', async (more) => {
    for (let i = 0; i < 5; i++)
      expect(await seenOfClient(Uint8Array.of(22, 3, 3, 0, 4, 1, 0, 0, 0), more)).toEqual({
        alert: '1503030002020a',
        error: undefined,
      });
  });

  test.each([0, 16_384, 200_000, 2_000_000])('a client of %i bytes', async (more) => {
    for (let i = 0; i < 5; i++)
      expect(await seen(Uint8Array.of(22, 3, 1, 0, 4, 2, 0, 0, 0), more)).toEqual({
        alert: '1503030002020a',
        error: undefined,
      });
  });
});
