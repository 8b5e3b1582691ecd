import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { HeartbeatMode } from '../../heartbeat/terms.ts';
import { ca, serverIdentity, track } from '../testing/support.ts';
import { keepAliveWithHeartbeats } from './heartbeat.ts';
import { TLSSocket } from './socket.ts';

/** Two ends of a wire that can be cut without a word. */
function wire(): [Duplex, Duplex, { cut: boolean }] {
  const state = { cut: false };
  const end = (other: () => Duplex) =>
    new Duplex({
      read() {},
      write(chunk, _encoding, callback) {
        if (!state.cut) other().push(chunk);
        callback();
      },
      final(callback) {
        if (!state.cut) other().push(null);
        callback();
      },
    });
  const client: Duplex = end(() => server);
  const server: Duplex = end(() => client);
  return [client, server, state];
}

async function meet(
  ours: HeartbeatMode | undefined,
  theirs: HeartbeatMode | undefined,
  maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
) {
  const [clientEnd, serverEnd, state] = wire();
  const server = track(
    new TLSSocket(serverEnd, { isServer: true, ...serverIdentity, maxVersion, heartbeat: theirs }),
  );
  const client = track(
    new TLSSocket(clientEnd, { ca, servername: 'localhost', maxVersion, heartbeat: ours }),
  );
  const secure = once(server, 'secure');
  client._start();
  await once(client, 'secure');
  await secure;
  return { client, server, state };
}

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s: socket.heartbeat', (version) => {
  test('gives the round trip in milliseconds, on either side', async () => {
    const { client, server } = await meet('answer', 'answer', version);
    for (const socket of [client, server, client]) {
      const before = performance.now();
      const roundTrip = await socket.heartbeat();
      expect(roundTrip).toBeGreaterThan(0);
      expect(roundTrip).toBeLessThanOrEqual(performance.now() - before);
    }
    await client.heartbeat({ payload: new Uint8Array(1000), padding: 2000 });
  });

  test('rejects where the peer has none', async () => {
    const { client, server } = await meet('answer', undefined, version);
    for (const socket of [client, server])
      await expect(socket.heartbeat()).rejects.toMatchObject({ code: 'not-connected' });
    expect(client.listenerCount('close')).toBe(server.listenerCount('close'));
  });

  test('rejects in time, and when the connection ends', async () => {
    const { client, state } = await meet('answer', 'answer', version);
    const listeners = client.listenerCount('close');
    state.cut = true;
    await expect(client.heartbeat({ timeout: 1 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(client.listenerCount('close')).toBe(listeners);
    const other = await meet('answer', 'answer', version);
    other.state.cut = true;
    const asked = other.client.heartbeat();
    other.client.destroy();
    await expect(asked).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

test('before the handshake there is no heartbeat', async () => {
  const [clientEnd] = wire();
  const client = track(new TLSSocket(clientEnd, { ca, servername: 'localhost', heartbeat: 'answer' }));
  await expect(client.heartbeat()).rejects.toMatchObject({ code: 'ERR_TLS_INVALID_STATE' });
});

test('contexts with and without heartbeats are not taken for each other', async () => {
  await meet(undefined, 'answer');
  const { client } = await meet('answer', 'answer');
  expect(await client.heartbeat()).toBeGreaterThan(0);
});

describe('a keep-alive with heartbeats', () => {
  test('destroys a socket whose peer is gone', async () => {
    const { client, state } = await meet('answer', 'answer');
    state.cut = true;
    keepAliveWithHeartbeats(client, { interval: 5, timeout: 5 });
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('asks a silent peer again and again, until it is stopped', async () => {
    const { client, server } = await meet('answer', 'answer');
    const answers: Promise<number>[] = [];
    const { heartbeat } = client;
    client.heartbeat = (options) => {
      const answer = heartbeat.call(client, options);
      answers.push(answer);
      return answer;
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const stop = keepAliveWithHeartbeats(client, { interval: 1000, timeout: 500 });
    for (let asked = 1; asked <= 5; asked++) {
      // An answer is a sign of life, too: the silence after it is not long enough at once.
      while (answers.length < asked) await vi.advanceTimersByTimeAsync(1000);
      await answers.at(-1);
    }
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(answers).toHaveLength(5);
    expect([client.destroyed, server.destroyed]).toEqual([false, false]);
    const listeners = client.listenerCount('close');
    keepAliveWithHeartbeats(client)();
    expect(client.listenerCount('close')).toBe(listeners);
  });
});
