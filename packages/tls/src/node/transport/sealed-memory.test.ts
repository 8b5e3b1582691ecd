import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import type { TLSSocket } from '../socket/socket.ts';
import { PipeEnd } from '../testing/pipe.ts';
import { ca, closeAll, connected, nodes, ours, readAll, serverIdentity, track } from '../testing/support.ts';
import { returnSealedMemory, takeSealedMemory } from './sealed-memory.ts';

afterEach(closeAll);

test('memory that was given back is used for the next write, and only that', () => {
  const first = takeSealedMemory(60_000);
  const second = takeSealedMemory(60_000);
  expect(second.buffer).not.toBe(first.buffer);
  returnSealedMemory(first);
  expect(takeSealedMemory(50_000).buffer).toBe(first.buffer);
  expect(takeSealedMemory(50_000).buffer).not.toBe(first.buffer);
});

test.each([0, 1, 4096, 4097, 69_632, 69_633, 300_000])('memory of %i bytes has that length', (length) => {
  expect(takeSealedMemory(length)).toHaveLength(length);
});

test('memory that came from elsewhere is not taken over', () => {
  const stranger = new Uint8Array(60_000);
  returnSealedMemory(stranger);
  expect(takeSealedMemory(60_000).buffer).not.toBe(stranger.buffer);
});

test('a connection whose peer does not read keeps its bytes while others send', async () => {
  const slow = await connected(ours, nodes);
  const quick = await connected(ours, nodes);
  const sent = randomBytes(8 * 2 ** 20);
  // More than the kernel takes: the write that it did not take whole waits there.
  const held = sendAll(slow.accepted, sent);
  const [, received] = await Promise.all([sendAll(quick.accepted, sent), readAll(quick.client)]);
  expect(received.equals(sent)).toBe(true);
  expect(await Promise.race([held.then(() => 'sent'), 'waits'])).toBe('waits');
  expect((await readAll(slow.client)).equals(sent)).toBe(true);
});

test('bytes on a stream that keeps what was written stay as they were', async () => {
  const large = { readableHighWaterMark: 2 ** 22 };
  const below = [new PipeEnd(large), new PipeEnd(large)] as const;
  [below[0].other, below[1].other] = [below[1], below[0]];
  const server = ours.createServer(serverIdentity);
  const client = track(ours.connect({ socket: below[0], servername: 'localhost', ca }));
  const secured = Promise.all([once(server, 'secureConnection'), once(client, 'secureConnect')]);
  server.emit('connection', below[1]);
  const [[accepted]] = (await secured) as [[TLSSocket], unknown];
  track(accepted);
  // What comes to the client waits in the stream below, many writes of it.
  below[0].pause();
  const sent = randomBytes(2 ** 20);
  await sendAll(accepted, sent);
  below[0].resume();
  expect((await readAll(client)).equals(sent)).toBe(true);
});

/** In writes that share memory, one after the other. */
async function sendAll(socket: TLSSocket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 60_000) {
    if (!socket.write(bytes.subarray(at, at + 60_000))) await once(socket, 'drain');
  }
  socket.end();
}
