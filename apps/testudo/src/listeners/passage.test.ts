import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { standstill, stopAll, tcpServer } from '../testing/test-gateway.ts';
import { Passage } from './passage.ts';

const opened: Socket[] = [];

afterEach(stopAll);
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** Both ends of a TCP connection. */
async function pair(): Promise<[Socket, Socket]> {
  let accepted: ((socket: Socket) => void) | undefined;
  const other = new Promise<Socket>((resolve) => {
    accepted = resolve;
  });
  const port = await tcpServer((socket) => accepted?.(socket));
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const sockets: [Socket, Socket] = [socket, await other];
  opened.push(...sockets);
  return sockets;
}

describe.each([true, false])('a passage (joins: %s)', (joins) => {
  test('passes on all bytes in their order, and then the end', async () => {
    const [source, from] = await pair();
    const [to, sink] = await pair();
    new Passage(from, to, joins);
    const pieces = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(i * 7, i % 251));
    const read: Buffer[] = [];
    sink.on('data', (chunk: Buffer) => read.push(chunk));
    for (const piece of pieces) source.write(piece);
    source.end();
    await once(sink, 'end');
    expect(Buffer.concat(read).equals(Buffer.concat(pieces))).toBe(true);
    sink.end();
  });

  test('waits for who does not read, and goes on', async () => {
    const [source, from] = await pair();
    const [to, sink] = await pair();
    new Passage(from, to, joins);
    const length = 50_000_000;
    source.end(Buffer.alloc(length));
    await standstill(() => from.bytesRead);
    expect(from.bytesRead).toBeLessThan(length / 2);
    expect(to.writableLength).toBeLessThan(1_000_000);
    let count = 0;
    sink.on('data', (chunk: Buffer) => {
      count += chunk.length;
    });
    await once(sink, 'end');
    expect(count).toBe(length);
  });

  test('that is stopped passes on nothing more', async () => {
    const [source, from] = await pair();
    const [to, sink] = await pair();
    const passage = new Passage(from, to, joins);
    const read: Buffer[] = [];
    sink.on('data', (chunk: Buffer) => read.push(chunk));
    source.write('one');
    await once(sink, 'data');
    passage.stop();
    from.resume();
    source.end('two');
    await once(from, 'end');
    to.end('three');
    await once(sink, 'end');
    expect(Buffer.concat(read).toString()).toBe('onethree');
  });
});
