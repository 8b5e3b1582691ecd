import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { nodeCrypto } from '@testudo/crypto/node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Flooder } from '../testing/flooder.ts';
import { TLSSocket } from './socket/socket.ts';
import { authority, closeAll, serverIdentity, track } from './testing/support.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => {
  vi.useRealTimers();
  closeAll();
});

/** The server's end of a wire whose other end is read, or not. */
class Wire extends Duplex {
  readonly client: Flooder;
  isRead = true;
  #waiting: { chunk: Uint8Array; callback: () => void } | undefined;

  constructor(client: Flooder) {
    super();
    this.client = client;
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, callback: () => void): void {
    this.#waiting = { chunk, callback };
    if (this.isRead) this.readAll();
  }

  override _final(callback: () => void): void {
    this.client.connection.receiveEnd();
    callback();
  }

  /** The client reads what was sent, from now on. */
  readAll(): void {
    this.isRead = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    this.client.connection.receive(waiting.chunk);
    this.answer();
    waiting.callback();
  }

  answer(): void {
    const bytes = this.client.connection.takeOutgoing();
    if (bytes !== undefined) this.push(bytes);
  }
}

async function meet(maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const client = new Flooder({
    provider: nodeCrypto,
    authority: [authority.certificate],
    host: 'localhost',
    maxVersion,
  });
  const wire = track(new Wire(client));
  const server = track(new TLSSocket(wire, { isServer: true, ...serverIdentity, heartbeat: 'answer' }));
  client.connection.start();
  wire.answer();
  await once(server, 'secure');
  await turns();
  expect(client.connection.state).toBe('open');
  return { client, wire, server };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

/** A minute each, in which an honest server gathers strength for new answers. */
async function flood(client: Flooder, wire: Wire, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    vi.setSystemTime(Date.now() + 60_000);
    for (let i = 0; i < 5; i++) wire.push(client.request(8000));
    await turns();
  }
}

const MOST = 3 * 65_536;

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s: a peer that asks and does not read', (version) => {
  test('makes the server queue a bounded number of bytes, and is not listened to meanwhile', async () => {
    const { client, wire } = await meet(version);
    wire.isRead = false;
    await flood(client, wire, 60);
    expect(wire.writableLength).toBeGreaterThan(16_384);
    expect(wire.writableLength).toBeLessThan(MOST);
    expect(wire.isPaused()).toBe(true);
  });

  test('is listened to again when it reads', async () => {
    const { client, wire, server } = await meet(version);
    wire.isRead = false;
    await flood(client, wire, 30);
    client.connection.send(Uint8Array.of(7));
    wire.answer();
    wire.readAll();
    const [data] = await once(server, 'data');
    expect([...data]).toEqual([7]);
    server.write('x');
    await turns();
    expect(client.received.map((bytes) => [...bytes])).toEqual([[120]]);
    expect([wire.isPaused(), wire.writableLength]).toEqual([false, 0]);
    wire.isRead = false;
    await flood(client, wire, 30);
    expect(wire.writableLength).toBeLessThan(MOST);
  });

  test('does not keep the server from its end', async () => {
    const { client, wire, server } = await meet(version);
    wire.isRead = false;
    await flood(client, wire, 30);
    server.resume();
    server.end();
    const closed = once(server, 'close');
    await turns();
    wire.readAll();
    client.connection.close();
    wire.answer();
    wire.push(null);
    await closed;
    expect(client.ended).toBe(true);
  });

  test('is told from one that is slow: what the application writes does not stop the reading', async () => {
    const { client, wire, server } = await meet(version);
    wire.isRead = false;
    server.write(new Uint8Array(500_000));
    await turns();
    expect(server.writableLength).toBeGreaterThan(MOST);
    client.connection.send(Uint8Array.of(7));
    wire.answer();
    const [data] = await once(server, 'data');
    expect([...data]).toEqual([7]);
    expect(wire.isPaused()).toBe(false);
  });
});
