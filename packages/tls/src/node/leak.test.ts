import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Server } from './index.ts';
import { pipe } from './testing/pipe.ts';
import { ca, closeOf, ours, serverIdentity } from './testing/support.ts';

/** Connections between two looks at the heap, and looks at most. */
const STEP = 1_000;
const LOOKS = 10;
/** Bytes for each: a socket with its connection has some ten thousand, and what is less is noise. */
const LIMIT = 200;
const AT_ONCE = 100;
/** Nearly all are resumed in TLS 1.2, which is the cheapest; some in TLS 1.3. */
const KINDS = ['TLSv1.2', 'TLSv1.3'].map((maxVersion) => ({
  secureContext: ours.createSecureContext({ ca, maxVersion: maxVersion as 'TLSv1.3' }),
  session: undefined as Buffer | undefined,
}));

test('thousands of connections leave nothing behind', { timeout: 240_000 }, async () => {
  const server = ours.createServer(serverIdentity, (socket) => socket.end('hello'));
  // Code is compiled and caches are filled for a while; a leak goes on for as long as one looks.
  const seen: number[] = [];
  const perConnection = (): number =>
    seen.length < 3 ? Number.POSITIVE_INFINITY : (seen.at(-1)! - seen.at(-3)!) / (2 * STEP);
  while (perConnection() > LIMIT && seen.length < LOOKS) {
    await connectMany(server, STEP);
    seen.push(await heapUsed());
  }
  expect(perConnection()).toBeLessThan(LIMIT);
});

async function connectMany(server: Server, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await connectOnce(server, KINDS[left % 10 === 0 ? 1 : 0]!, left % 4);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Ends in different ways: cleanly, destroyed by either side, or with the transport cut. */
async function connectOnce(server: Server, kind: (typeof KINDS)[number], ending: number): Promise<void> {
  const [near, far] = pipe();
  server.emit('connection', far);
  const client = ours.connect({ socket: near, servername: 'localhost', ...kind });
  client.on('session', (given) => {
    kind.session ??= given;
  });
  client.on('error', () => {});
  const closed = closeOf(client);
  await once(client, 'secureConnect');
  client.resume();
  if (ending === 1) client.destroy();
  else if (ending === 2) far.destroy();
  else if (ending === 3) near.destroy();
  await closed;
}

async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}
