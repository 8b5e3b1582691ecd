import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { legacy } from '../legacy/index.ts';
import { pipe } from './testing/pipe.ts';
import { ca, closeAll, listen, ours, readAll, serverIdentity, track, VERSIONS } from './testing/support.ts';

// What comes over a socket of our own is decrypted where it lies. Nobody may notice.

afterEach(closeAll);

/** Node 20 passes over what must not be transferred. */
const REFUSES = Number(process.versions.node.split('.')[0]) > 20;
const CONTENT = randomBytes(300_000);

function options(maxVersion: (typeof VERSIONS)[number]) {
  return { ca, servername: 'localhost', maxVersion } as const;
}

describe.each(VERSIONS)('%s', (version) => {
  test('a stream of the program keeps its chunks as they were', async () => {
    const kept: { readonly chunk: Buffer; readonly copy: Buffer }[] = [];
    const [near, far] = pipe();
    near.on('data', (chunk: Buffer) => kept.push({ chunk, copy: Buffer.from(chunk) }));
    near.pause();
    const server = track(ours.createServer(serverIdentity, (socket) => void socket.end(CONTENT)));
    server.emit('connection', far);
    const client = track(ours.connect({ socket: near, ...options(version) }));
    expect((await readAll(client)).equals(CONTENT)).toBe(true);
    expect(kept.length).toBeGreaterThan(3);
    for (const { chunk, copy } of kept) expect(chunk.equals(copy)).toBe(true);
  });

  test('a raw socket of the program, before and after', async () => {
    const seen: { readonly chunk: Buffer; readonly copy: Buffer }[] = [];
    const server = track(ours.createServer({ ...serverIdentity }, (socket) => void socket.end(CONTENT)));
    server.on('connection', (raw) =>
      raw.on('data', (chunk: Buffer) => seen.push({ chunk, copy: Buffer.from(chunk) })),
    );
    const port = await listen(server);
    const raw = track(netConnect(port, '127.0.0.1'));
    await once(raw, 'connect');
    raw.on('data', (chunk: Buffer) => seen.push({ chunk, copy: Buffer.from(chunk) }));
    const client = track(ours.connect({ socket: raw, ...options(version) }));
    expect((await readAll(client)).equals(CONTENT)).toBe(true);
    for (const { chunk, copy } of seen) expect(chunk.equals(copy)).toBe(true);
  });

  test('data that is kept stays what it was, and what is written into it harms nothing', async () => {
    const server = track(
      ours.createServer(serverIdentity, async (socket) => {
        for (let at = 0; at < CONTENT.length; at += 1000) socket.write(CONTENT.subarray(at, at + 1000));
        socket.end();
      }),
    );
    const client = track(
      ours.connect({ port: await listen(server), host: '127.0.0.1', ...options(version) }),
    );
    const kept: { readonly chunk: Buffer; readonly copy: Buffer }[] = [];
    for await (const chunk of client as AsyncIterable<Buffer>) {
      kept.push({ chunk, copy: Buffer.from(chunk) });
      if (kept.length % 3 === 0) chunk.fill(0);
    }
    expect(Buffer.concat(kept.map(({ copy }) => copy)).equals(CONTENT)).toBe(true);
    for (const [i, { chunk, copy }] of kept.entries())
      expect(chunk.equals((i + 1) % 3 === 0 ? Buffer.alloc(copy.length) : copy)).toBe(true);
  });

  // Of a record that has memory of its own, as one that straddled chunks, it may be taken: then nothing else is in it.
  test('to transfer the memory of data is refused, or takes nothing else', async () => {
    const server = track(ours.createServer(serverIdentity, (socket) => void socket.pipe(socket)));
    const client = track(
      ours.connect({ port: await listen(server), host: '127.0.0.1', ...options(version) }),
    );
    client.end(CONTENT);
    const { port1, port2 } = new MessageChannel();
    const got: Buffer[] = [];
    for await (const chunk of client as AsyncIterable<Buffer>) {
      const copy = Buffer.from(chunk);
      const buffer = chunk.buffer as ArrayBuffer;
      for (const transfer of [
        () => port1.postMessage(chunk, [buffer]),
        () => structuredClone(chunk, { transfer: [buffer] }),
      ]) {
        if (chunk.length === 0) break;
        try {
          transfer();
        } catch (error) {
          if (REFUSES) expect((error as Error).name).toBe('DataCloneError');
          expect(chunk.equals(copy)).toBe(true);
        }
      }
      got.push(copy);
    }
    port1.close();
    port2.close();
    expect(Buffer.concat(got).equals(CONTENT)).toBe(true);
  });

  test('TLS in records that are not encrypted, over a stream of the program, which keeps its chunks', async () => {
    const plain = { legacy, maxVersion: 'TLSv1.2', ciphers: 'eNULL' } as const;
    const inner = track(ours.createServer(serverIdentity, (socket) => void socket.end(CONTENT)));
    const outer = track(
      ours.createServer({ ...serverIdentity, ...plain }, (socket) => void inner.emit('connection', socket)),
    );
    const kept: { readonly chunk: Buffer; readonly copy: Buffer }[] = [];
    const [near, far] = pipe();
    near.on('data', (chunk: Buffer) => kept.push({ chunk, copy: Buffer.from(chunk) }));
    near.pause();
    outer.emit('connection', far);
    const first = track(ours.connect({ socket: near, ...options('TLSv1.2'), ...plain }));
    await once(first, 'secureConnect');
    expect(first.getCipher().name).toMatch(/NULL/);
    const client = track(ours.connect({ socket: first, ...options(version) }));
    expect((await readAll(client)).equals(CONTENT)).toBe(true);
    expect(kept.length).toBeGreaterThan(3);
    for (const { chunk, copy } of kept) expect(chunk.equals(copy)).toBe(true);
  });

  test('TLS in TLS, and what the reader of the outer connection still holds', async () => {
    const inner = track(ours.createServer(serverIdentity, (socket) => void socket.end(CONTENT)));
    const outer = track(
      ours.createServer(serverIdentity, (socket) => {
        socket.write('before');
        socket.once('data', () => inner.emit('connection', socket));
      }),
    );
    const port = await listen(outer);
    const first = track(ours.connect({ port, host: '127.0.0.1', ...options(version) }));
    const held = await new Promise<Buffer>((resolve) => first.once('data', resolve));
    first.write('go');
    const client = track(ours.connect({ socket: first, ...options(version) }));
    expect((await readAll(client)).equals(CONTENT)).toBe(true);
    expect(held.toString()).toBe('before');
  });
});
