import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SniCallback, TlsOptions } from './index.ts';
import {
  ca,
  clientIdentity,
  closeAll,
  closeOf,
  connected,
  errorOf,
  failing,
  issue,
  listen,
  nodes,
  ours,
  serverIdentity,
  stranger,
  track,
  VERSIONS,
} from './testing/support.ts';

/** What came out of nowhere while a test ran. */
let uncaught: unknown[] = [];
const keep = (error: unknown) => void uncaught.push(error);
beforeEach(() => {
  uncaught = [];
  process.on('uncaughtException', keep);
});
afterEach(() => {
  process.off('uncaughtException', keep);
  closeAll();
  expect(uncaught).toEqual([]);
});

type Call = (error?: unknown, value?: unknown) => void;

/** How often and when somebody calls back who should do it once: `first` is what counts. */
const REPEATS: readonly (readonly [string, (done: Call, first: unknown, other: unknown) => void])[] = [
  [
    'twice at once',
    (done, first, other) => {
      done(null, first);
      done(null, other);
    },
  ],
  [
    'again later',
    (done, first, other) => {
      done(null, first);
      setTimeout(done, 20, null, other);
    },
  ],
  [
    'with an error later',
    (done, first) => {
      setImmediate(done, null, first);
      setTimeout(done, 20, new Error('too late'));
    },
  ],
  [
    'with nonsense then',
    (done, first) => {
      done(null, first);
      for (const nonsense of [1e12, 'x', {}, [], Symbol('x'), () => {}]) done(null, nonsense);
    },
  ],
  [
    'from inside',
    (done, first, other) => {
      done(null, first);
      queueMicrotask(() => done(null, other));
      process.nextTick(done, null, other);
    },
  ],
];

async function goesOn({ client, accepted }: Awaited<ReturnType<typeof connected>>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30));
  client.write('x');
  expect(String((await once(accepted, 'data'))[0])).toBe('x');
  accepted.write('y');
  expect(String((await once(client, 'data'))[0])).toBe('y');
}

describe.each(REPEATS)('who calls back %s', (_how, repeat) => {
  test.each(VERSIONS)(
    'from SNICallback chooses once, and whose clients are taken, too: %s',
    async (maxVersion) => {
      const chosen = ours.createSecureContext({ ...issue({ commonName: 'first' }), ca });
      const other = ours.createSecureContext({
        ...issue({ commonName: 'other' }, stranger),
        ca: issue({}, stranger).cert,
      });
      const options: TlsOptions = {
        maxVersion,
        requestCert: true,
        SNICallback: (_name, callback) => repeat(callback as Call, chosen, other),
      };
      const met = await connected(ours, ours, options, clientIdentity);
      expect(met.client.getPeerCertificate().subject.CN).toBe('first');
      expect([met.accepted.authorized, met.accepted.authorizationError]).toEqual([true, null]);
      await goesOn(met);
    },
  );

  test.each(VERSIONS)('from OCSPRequest staples once: %s', async (maxVersion) => {
    const server = ours.createServer({ ...serverIdentity, maxVersion });
    server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, done: Call) =>
      repeat(done, Buffer.from('first'), Buffer.from('other')),
    );
    const accepting = once(server, 'secureConnection');
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost', requestOCSP: true }));
    const [response] = await once(client, 'OCSPResponse');
    expect(String(response)).toBe('first');
    const [accepted] = await accepting;
    await goesOn({ port, server, client, accepted });
  });

  test('from newSession and resumeSession keeps and finds once', async () => {
    const server = ours.createServer({ ...serverIdentity, maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
    const kept = new Map<string, Buffer>();
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      kept.set(id.toString('hex'), session);
      repeat(done as Call, undefined, undefined);
    });
    server.on('resumeSession', (id: Buffer, done: Call) =>
      repeat(done, kept.get(id.toString('hex')), Buffer.from('no session')),
    );
    const port = await listen(server);
    server.on('secureConnection', (socket) => void socket.on('error', () => {}).end('x'));
    const visit = async (session?: Buffer) => {
      const client = track(ours.connect({ port, ca, servername: 'localhost', session }));
      await once(client, 'secureConnect');
      expect(String((await once(client, 'data'))[0])).toBe('x');
      const [found, isReused] = [client.getSession(), client.isSessionReused()];
      await closeOf(client.resume().end());
      return { found, isReused };
    };
    const { found } = await visit();
    expect((await visit(found)).isReused).toBe(true);
  });
});

describe('who calls back with an error first', () => {
  test('from SNICallback has refused, whatever comes then', async () => {
    const context = ours.createSecureContext(serverIdentity);
    const SNICallback = (_name: string, callback: Call) => {
      callback(new Error('no such host'));
      callback(null, context);
    };
    const { server } = await failing(ours, ours, { SNICallback: SNICallback as never }, {});
    expect(server?.message).toBe('no such host');
  });

  test('from OCSPRequest has refused, whatever comes then', async () => {
    const server = ours.createServer(serverIdentity);
    server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, done: Call) => {
      done(new Error('responder is down'));
      done(null, Buffer.from('x'));
    });
    const failed = once(server, 'tlsClientError');
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost', requestOCSP: true }));
    expect(await errorOf(client)).toBeInstanceOf(Error);
    expect((await failed)[0]).toMatchObject({ message: 'responder is down' });
  });
});

describe('who calls back with what is none', () => {
  test.each(['x', 1e12, {}])('from resumeSession fails that handshake only: %s', async (none) => {
    const server = ours.createServer({ ...serverIdentity, maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
    server.on('newSession', (_id: Buffer, _session: Buffer, done: () => void) => done());
    server.on('secureConnection', (socket) => void socket.on('error', () => {}).end('x'));
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost' }));
    await once(client, 'secureConnect');
    const session = client.getSession();
    await closeOf(client.resume().end());
    server.on('resumeSession', (_id: Buffer, done: Call) => done(null, none));
    const failed = once(server, 'tlsClientError');
    const again = track(ours.connect({ port, ca, servername: 'localhost', session }));
    expect(await errorOf(again)).toMatchObject({ code: 'ECONNRESET' });
    expect((await failed)[0]).toBeInstanceOf(Error);
  });

  test.each(['x', 1e12, {}])('from OCSPRequest fails that handshake only: %s', async (none) => {
    const server = ours.createServer(serverIdentity);
    server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, done: Call) => done(null, none));
    const failed = once(server, 'tlsClientError');
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost', requestOCSP: true }));
    expect(await errorOf(client)).toBeInstanceOf(Error);
    expect((await failed)[0]).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

test.each([undefined, null, false, 0, ''])(
  'SNICallback that answers %j leaves the server\u2019s own certificate, as in Node',
  async (answer) => {
    for (const serverTls of [ours, nodes]) {
      const SNICallback: SniCallback = (_name, callback) => callback(null, answer as undefined);
      const { client } = await connected(serverTls, ours, { SNICallback });
      expect(client.authorized).toBe(true);
    }
  },
);
