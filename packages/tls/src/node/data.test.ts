import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, connected, MATRIX, ours, readAll } from './testing/support.ts';

afterEach(closeAll);

const MEGABYTE = 2 ** 20;
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(MATRIX)('%s, %s', (_name, maxVersion, serverTls, clientTls) => {
  test('data comes out as it went in, both ways, and both ends close cleanly', async () => {
    const { client, accepted } = await connected(serverTls, clientTls, { maxVersion });
    expect(client.getProtocol()).toBe(maxVersion);
    const sent = randomBytes(3 * MEGABYTE);
    accepted.pipe(accepted);
    const closed = Promise.all([once(client, 'close'), once(accepted, 'close')]);
    client.end(sent);
    expect(digest(await readAll(client))).toBe(digest(sent));
    expect(await closed).toEqual([[false], [false]]);
  });

  test('strings go in the encoding that was asked for', async () => {
    const { client, accepted } = await connected(serverTls, clientTls, { maxVersion });
    client.write('größe', 'latin1');
    client.write('größe');
    client.write('00ff', 'hex');
    client.end();
    const expected = Buffer.concat([
      Buffer.from('größe', 'latin1'),
      Buffer.from('größe'),
      Buffer.from([0, 255]),
    ]);
    expect(await readAll(accepted)).toEqual(expected);
  });

  test('what is written before the handshake is complete is sent after it', async () => {
    const { port } = await connected(serverTls, clientTls, { maxVersion });
    expect(port).toBeGreaterThan(0);
    const { accepted } = await connected(
      serverTls,
      {
        ...clientTls,
        connect: ((options: object) => {
          const socket = clientTls.connect(options);
          socket.write('first, ');
          socket.end('second');
          return socket;
        }) as typeof clientTls.connect,
      },
      { maxVersion },
    );
    expect(String(await readAll(accepted))).toBe('first, second');
  });
});

describe('backpressure', () => {
  test('a reader that stops makes the writer wait, and gets everything when it goes on', async () => {
    const { client, accepted } = await connected(ours, ours);
    const chunk = randomBytes(64 * 1024);
    const total = 10 * MEGABYTE;
    let taken = 0;
    // Fills what the kernel and both streams hold, and stands still then.
    const writing = new Promise<void>((resolve) => {
      const more = (): void => {
        while (taken < total) {
          taken += chunk.length;
          if (!client.write(chunk)) {
            client.once('drain', more);
            return;
          }
        }
        client.end();
        resolve();
      };
      more();
    });
    await stillness(() => taken);
    expect(taken).toBeLessThan(total);
    expect(accepted.readableLength).toBeLessThan(256 * 1024);
    const received = readAll(accepted);
    await writing;
    expect((await received).length).toBe(total);
  });

  test('a huge write is sealed in slices, as the transport takes them', async () => {
    const { client, accepted } = await connected(ours, ours);
    let called = false;
    const size = 64 * MEGABYTE;
    client.write(Buffer.alloc(size), () => {
      called = true;
    });
    await stillness(() => client.transport.writableLength);
    // One slice with its records' overhead; not the whole of it.
    expect(client.transport.writableLength).toBeLessThan(MEGABYTE);
    expect(called).toBe(false);
    client.end();
    let received = 0;
    for await (const bytes of accepted) received += (bytes as Buffer).length;
    expect(received).toBe(size);
    expect(called).toBe(true);
  });

  test('many huge writes that nobody waited for are sealed in slices, too', async () => {
    const { client, accepted } = await connected(ours, ours);
    for (let i = 0; i < 200; i++) client.write(Buffer.alloc(100_000, i));
    await stillness(() => client.transport.writableLength);
    expect(client.transport.writableLength).toBeLessThan(MEGABYTE);
    client.end();
    const received = await readAll(accepted);
    expect(received.length).toBe(200 * 100_000);
    for (let i = 0; i < 200; i++) expect(received[i * 100_000 + 5000]).toBe(i);
  });

  test('a write is reported done only when the transport has it', async () => {
    const { client, accepted } = await connected(ours, ours);
    accepted.pause();
    const done: number[] = [];
    for (let i = 0; i < 64; i++) client.write(Buffer.alloc(256 * 1024), () => done.push(i));
    await stillness(() => done.length);
    expect(done.length).toBeLessThan(64);
    accepted.resume();
    client.end();
    await once(accepted, 'end');
    expect(done).toEqual(Array.from({ length: 64 }, (_, i) => i));
  });
});

describe('records', () => {
  test('small writes of one turn share records; a large one fills them', async () => {
    const lengths: number[] = [];
    const observer = {
      record: (direction: string, type: number, length: number) => {
        if (direction === 'sent' && type === 23) lengths.push(length);
      },
    };
    const { client, accepted } = await connected(ours, ours, {}, { observer });
    accepted.resume();
    lengths.length = 0;
    client.cork();
    for (let i = 0; i < 100; i++) client.write('0123456789');
    client.uncork();
    await new Promise<void>((resolve) => client.write('', () => resolve()));
    expect(lengths).toEqual([1000]);
    lengths.length = 0;
    await new Promise<void>((resolve) => client.write(Buffer.alloc(40_000), () => resolve()));
    expect(lengths).toEqual([16_384, 16_384, 7232]);
  });

  test('bytesRead and bytesWritten count application data', async () => {
    const { client, accepted } = await connected(ours, ours);
    client.end('12345');
    await readAll(accepted);
    expect(client.bytesWritten).toBe(5);
    expect(accepted.bytesRead).toBe(5);
  });
});

/** Waits until a number has been the same for some turns of the event loop. */
async function stillness(value: () => number): Promise<void> {
  let last = value();
  for (let same = 0; same < 30; ) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const now = value();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}
