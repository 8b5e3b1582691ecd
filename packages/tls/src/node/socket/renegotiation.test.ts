import { once } from 'node:events';
import nodeTls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import tls, { type TLSSocket } from '../index.ts';
import { Story, settled } from '../testing/story.ts';
import {
  ca,
  clientIdentity,
  closeAll,
  connected,
  errorOf,
  nodes,
  ours,
  PARTIES,
  readAll,
  type Tls,
} from '../testing/support.ts';

afterEach(closeAll);
const LIMITS = [tls, nodeTls] as { CLIENT_RENEG_LIMIT: number }[];
const limitTo = (most: number): void => {
  for (const one of LIMITS) one.CLIENT_RENEG_LIMIT = most;
};
afterEach(() => limitTo(3));

const old = { maxVersion: 'TLSv1.2' } as const;
const SSL_OP_NO_RENEGOTIATION = 2 ** 30;

const again = (socket: TLSSocket, options: object = {}): Promise<Error | null> =>
  new Promise((resolve) => socket.renegotiate(options, resolve));

interface Pair {
  readonly client: TLSSocket;
  readonly accepted: TLSSocket;
}

describe.each(PARTIES)('%s', (_name, serverTls, clientTls) => {
  test.each(['client', 'accepted'] as const)('without an option, the %s begins it', async (which) => {
    const pair = await connected(serverTls, clientTls, old, old);
    const { client, accepted } = pair;
    accepted.pipe(accepted);
    client.resume();
    const before = client.getFinished();
    const both = Promise.all([
      once(client, 'secure'),
      once(accepted, 'secure'),
      once(client, 'secureConnect'),
    ]);
    expect(await again(pair[which])).toBeNull();
    await both;
    expect(client.getFinished()).not.toEqual(before);
    client.write('still here');
    const [data] = await once(client, 'data');
    expect(String(data)).toBe('still here');
  });

  test('a client is asked as often as the server likes, and disableRenegotiation is a server\u2019s', async () => {
    const { client, accepted } = await connected(serverTls, clientTls, old, old);
    limitTo(99);
    client.disableRenegotiation();
    client.resume();
    accepted.resume();
    for (let time = 0; time < 6; time++) expect(await again(accepted)).toBeNull();
  });
});

/** What both sides say while it is tried, each side's own words in order. */
async function story(
  [serverTls, clientTls]: readonly [Tls, Tls],
  [server, client]: readonly [object, object],
  run: (pair: Pair, said: Story) => void,
): Promise<Readonly<Record<string, string[]>>> {
  const pair = await connected(serverTls, clientTls, server, client);
  const said = new Story();
  for (const [name, socket] of [
    ['client', pair.client],
    ['server', pair.accepted],
  ] as const) {
    said.watch(name, socket, ['secure', 'error']);
    socket.resume();
  }
  const over = Promise.race([errorOf(pair.client), errorOf(pair.accepted)]);
  run(pair, said);
  await over;
  // Node tells the error, and leaves it to the program to end the connection.
  pair.client.destroy();
  pair.accepted.destroy();
  await settled();
  const of = (name: string): string[] => said.lines.filter((line) => line.startsWith(name));
  return { client: of('client'), server: of('server'), callback: of('callback') };
}

const closed = (socket: TLSSocket): Promise<unknown> =>
  new Promise((resolve) => socket.once('close', resolve));

describe('as in Node', () => {
  const noneSaid = { secureOptions: SSL_OP_NO_RENEGOTIATION, ...old };

  test.each([
    ['a server that has it off', [noneSaid, old], 'client'],
    ['a client that has it off', [old, noneSaid], 'accepted'],
  ] as const)('%s ends the connection of who wants it', async (_name, options, which) => {
    const run = (pair: Pair, said: Story): void => {
      pair[which].renegotiate({}, () => said.note('callback'));
    };
    const own = await story([ours, ours], options, run);
    const theirs = await story([nodes, nodes], options, run);
    const asking = which === 'client' ? 'client' : 'server';
    expect(own[asking]).toEqual(theirs[asking]);
    expect(own[asking]).toEqual([`${asking} error ERR_SSL_NO_RENEGOTIATION`]);
    expect(own['callback']).toEqual([]);
  });

  test.each([
    [0, 0],
    [1, 1],
    [4, 4],
    [4, 1],
    [0, 2],
  ])(
    'a client may renegotiate %i times, and where that changes then, %i times; the next is an attack',
    async (first, then) => {
      const outcome = async (of: Tls): Promise<unknown> => {
        limitTo(first);
        const seen: unknown[] = [];
        const { client, accepted } = await connected(of, nodes, old, old);
        limitTo(then);
        client.resume();
        accepted.on('error', (error) => {
          seen.push(error.message, seen.length);
          accepted.destroy();
        });
        client.on('error', (error) => seen.push(error));
        const end = closed(client);
        const next = (): void => {
          client.renegotiate({}, (error) => {
            seen.push(error);
            next();
          });
        };
        next();
        await end;
        return seen;
      };
      expect(await outcome(ours)).toEqual(await outcome(nodes));
    },
  );

  test('after disableRenegotiation a server ends it before anything is answered', async () => {
    for (const clientTls of [ours, nodes]) {
      const seen = await story([ours, clientTls], [old, old], ({ client, accepted }, said) => {
        accepted.disableRenegotiation();
        client.renegotiate({}, () => said.note('callback'));
      });
      expect(seen).toEqual({
        client: [],
        server: ['server error ERR_TLS_RENEGOTIATION_DISABLED'],
        callback: [],
      });
    }
  });

  test.each(['client', 'accepted'] as const)('with TLS 1.3 the %s cannot', async (which) => {
    const refusal = async (of: Tls): Promise<object> => {
      const pair = await connected(of, of);
      const error = await new Promise<object | null>((resolve) => {
        expect(pair[which].renegotiate({}, resolve as never)).toBe(false);
      });
      const { message, code, library, reason } = error as Record<string, unknown>;
      return { message, code, library, reason };
    };
    expect(await refusal(ours)).toEqual(await refusal(nodes));
  });

  test.each([
    ['nothing', []],
    ['a function alone', [() => {}]],
    ['false', [{}, false]],
    ['null', [{}, null]],
    ['no callback', [{}]],
  ])('arguments are checked: %s', async (_name, args) => {
    const thrown = async (of: Tls): Promise<unknown> => {
      const { client } = await connected(of, of, old, old);
      try {
        return (client.renegotiate as (...args: readonly unknown[]) => unknown)(...args);
      } catch (error) {
        return [(error as { code?: string }).code, (error as Error).message];
      }
    };
    expect(await thrown(ours)).toEqual(await thrown(nodes));
  });

  test('a socket that is gone does nothing', async () => {
    for (const of of [ours, nodes]) {
      const { client } = await connected(of, of, old, old);
      client.destroy();
      expect(client.renegotiate({}, () => {})).toBeUndefined();
    }
  });
});

describe('strict', () => {
  test.each([{ strict: true }, { strict: { renegotiation: true } }, { renegotiation: false }])(
    '%o: it is off, and the peer is told no',
    async (option) => {
      const strict = { ...old, ...option };
      const { client, accepted } = await connected(ours, ours, strict, strict);
      for (const socket of [client, accepted])
        expect(await again(socket)).toMatchObject({ code: 'ERR_TLS_RENEGOTIATION_DISABLED' });
      const asking = await connected(ours, nodes, strict, old);
      const refused = once(asking.client, 'error');
      asking.client.resume();
      asking.client.renegotiate({}, () => {});
      expect((await refused)[0]).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
    },
  );

  test('the option turns it on all the same', async () => {
    const { client } = await connected(ours, ours, { ...old, strict: true, renegotiation: true }, old);
    client.resume();
    expect(await again(client)).toBeNull();
  });

  test('the option\u2019s own limit counts', async () => {
    const { client, accepted } = await connected(ours, nodes, { ...old, renegotiation: { limit: 1 } }, old);
    const attack = once(accepted, 'error');
    client.resume();
    expect(await again(client)).toBeNull();
    void again(client);
    expect((await attack)[0]).toMatchObject({ code: 'ERR_TLS_SESSION_ATTACK' });
  });
});

describe('meanwhile', () => {
  test('a writer waits for its end, and what was written before an end arrives', async () => {
    const { client, accepted } = await connected(ours, ours, old, old);
    const order: string[] = [];
    client.resume();
    const done = again(client).then(() => order.push('renegotiated'));
    const written = new Promise<void>((resolve) => {
      client.write('held back, ', () => {
        order.push('written');
        resolve();
      });
    });
    client.end('and the end');
    expect(order).toEqual([]);
    expect(String(await readAll(accepted))).toBe('held back, and the end');
    await Promise.all([done, written]);
    expect(order).toContain('written');
  });

  test('a writer is told when it fails', async () => {
    const { client, accepted } = await connected(ours, ours, old, old);
    client.on('error', () => {});
    accepted.on('error', () => {});
    client.renegotiate({}, () => {});
    const written = new Promise((resolve) => client.write('never sent', resolve));
    accepted.destroy();
    expect(await written).toBeInstanceOf(Error);
  });

  test('a server asks for a certificate by it', async () => {
    const server = { ...old, ca, requestCert: false };
    const { client, accepted } = await connected(ours, ours, server, { ...old, ...clientIdentity });
    client.resume();
    accepted.resume();
    expect(accepted.authorized).toBe(false);
    expect(await again(accepted, { requestCert: true })).toBeNull();
    expect(accepted.authorized).toBe(true);
    expect(accepted.getPeerCertificate().subject.CN ?? 'client.example').toBeDefined();
  });
});
