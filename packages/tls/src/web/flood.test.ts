import { nodeCrypto } from '@testudo/crypto/node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Flooder } from '../testing/flooder.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import { acceptTls, type TlsStream } from './index.ts';

const pki = new TestPki(nodeCrypto);

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** A server's stream whose transport the client reads, or not. */
async function meet(maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const client = new Flooder({
    provider: nodeCrypto,
    authority: [pki.authority.certificate],
    host: SERVER_NAME,
    maxVersion,
  });
  let incoming!: ReadableStreamDefaultController<Uint8Array>;
  const wire = {
    isRead: true,
    /** Bytes that the server handed over, and those of them that the client took. */
    given: 0,
    taken: 0,
    readAll: () => {},
    push: (bytes: Uint8Array) => incoming.enqueue(bytes),
    send() {
      const bytes = client.connection.takeOutgoing();
      if (bytes !== undefined) incoming.enqueue(bytes);
    },
  };
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => {
      incoming = controller;
    },
  });
  const writable = new WritableStream<Uint8Array>(
    {
      async write(chunk) {
        if (!wire.isRead) await new Promise<void>((resolve) => Object.assign(wire, { readAll: resolve }));
        wire.taken += chunk.length;
        client.connection.receive(chunk);
        wire.send();
      },
    },
    {
      highWaterMark: 1,
      size: (chunk) => {
        wire.given += chunk.length;
        return 1;
      },
    },
  );
  const accepting = acceptTls(
    { readable, writable },
    { provider: nodeCrypto, credentials: [pki.server()], heartbeat: 'answer' },
  );
  client.connection.start();
  wire.send();
  const server = await accepting;
  await turns();
  return { client, wire, server };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

/** A minute each, in which an honest server gathers strength for new answers. */
async function flood({ client, wire }: Awaited<ReturnType<typeof meet>>, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    vi.setSystemTime(Date.now() + 60_000);
    for (let i = 0; i < 5; i++) wire.push(client.request(8000));
    await turns();
  }
}

async function read(stream: TlsStream): Promise<number[]> {
  const reader = stream.readable.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return [...value!];
}

const MOST = 3 * 65_536;

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s: a peer that asks and does not read', (version) => {
  test('makes the stream queue a bounded number of bytes, and is listened to again when it reads', async () => {
    const met = await meet(version);
    const { client, wire, server } = met;
    wire.isRead = false;
    const reading = read(server);
    await flood(met, 60);
    expect(wire.given - wire.taken).toBeGreaterThan(16_384);
    expect(wire.given - wire.taken).toBeLessThan(MOST);
    client.connection.send(Uint8Array.of(7));
    wire.send();
    wire.isRead = true;
    wire.readAll();
    expect(await reading).toEqual([7]);
    server.abort();
  });

  test('does not keep the stream from its end', async () => {
    const met = await meet(version);
    met.wire.isRead = false;
    const reading = read(met.server).catch(() => 'over');
    await flood(met, 30);
    met.server.abort();
    await met.server.closed.catch(() => {});
    expect(await reading).toBe('over');
  });

  test('is told from one that is slow: what the application writes does not stop the reading', async () => {
    const { client, wire, server } = await meet(version);
    wire.isRead = false;
    const writer = server.writable.getWriter();
    const writing = writer.write(new Uint8Array(500_000)).catch(() => 'given up');
    await turns();
    client.connection.send(Uint8Array.of(7));
    wire.send();
    expect(await read(server)).toEqual([7]);
    server.abort();
    expect(await writing).toBe('given up');
  });
});
