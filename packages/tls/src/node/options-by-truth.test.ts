import { once } from 'node:events';
import { connect as netConnect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CONNECTION, CONTEXT, cases, type Outcome, SERVER, said, thrown } from './testing/option-values.ts';
import { ca, closeAll, nodes, ours, serverIdentity, type Tls, track } from './testing/support.ts';

// Node tests each option in its own way: by truth, for undefined, for its type. Programs pass whatever their own callers left out.

afterEach(closeAll);

let port: number;
let server: ReturnType<Tls['createServer']>;
beforeAll(async () => {
  server = nodes.createServer(serverIdentity, (socket) => socket.on('error', () => {}).end('x'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

async function becomes(make: () => Duplex, event: string): Promise<Outcome> {
  let socket: Duplex;
  try {
    socket = track(make());
  } catch (error) {
    return said(error);
  }
  const timer = setTimeout(
    () => socket.destroy(Object.assign(new Error('nothing'), { code: 'NOTHING' })),
    20_000,
  );
  try {
    await once(socket, event);
    socket.on('error', () => {});
    return 'secure';
  } catch (error) {
    return said(error);
  } finally {
    clearTimeout(timer);
  }
}

describe('createSecureContext', () => {
  test.each(cases(CONTEXT))('%s: %o', (name, value) => {
    const options = { [name]: value };
    expect(thrown(() => ours.createSecureContext(options))).toEqual(
      thrown(() => nodes.createSecureContext(options)),
    );
  });
});

test.each([[undefined], [null], [false], [0], [''], ['x'], [1], [[]], [() => {}], [{}]])(
  'createSecureContext with options that are %o',
  (options) => {
    const act = (tls: Tls) => () => tls.createSecureContext(options as object);
    expect(thrown(act(ours))).toEqual(thrown(act(nodes)));
  },
);

test('what failed before does no harm to what comes then', () => {
  for (const failing of [
    { ecdhCurve: 'x' },
    { sigalgs: 'x' },
    { ciphers: 'x' },
    { crl: 'x' },
    { pfx: 'x' },
    { key: 'x' },
  ])
    for (const tls of [nodes, ours]) {
      expect(thrown(() => tls.createSecureContext(failing))).not.toBe('taken');
      expect(thrown(() => ours.createSecureContext(serverIdentity))).toBe('taken');
    }
});

describe('createServer', () => {
  // What is no ALPNCallback kills Node with the first connection; ours says so at once.
  const all = cases([...CONTEXT, ...SERVER]).filter(([name, value]) => name !== 'ALPNCallback' || !value);

  test.each(all)('%s: %o', (name, value) => {
    const options = { ...serverIdentity, [name]: value } as object;
    const make = (tls: Tls) => () => {
      const { requestCert, rejectUnauthorized } = tls.createServer(options) as never;
      return { requestCert, rejectUnauthorized };
    };
    expect(thrown(make(ours))).toEqual(thrown(make(nodes)));
  });
});

describe('connect', () => {
  test.each(cases([...CONTEXT, ...CONNECTION]))('%s: %o', async (name, value) => {
    const options = { port, host: '127.0.0.1', servername: 'localhost', ca, [name]: value } as object;
    const theirs = await becomes(() => nodes.connect(options) as never, 'secureConnect');
    expect(await becomes(() => ours.connect(options) as never, 'secureConnect')).toEqual(theirs);
  });
});

describe('new TLSSocket', () => {
  // Other values can end the process in Node.
  const falsy = cases([...CONTEXT, ...CONNECTION]).filter(
    ([name, value]) => !value && name !== 'keepAliveInitialDelay',
  );

  test.each(falsy)('%s: %o', async (name, value) => {
    const options = { isServer: false, [name]: value } as object;
    const theirs = thrown(() => new nodes.TLSSocket(new Socket(), options));
    const raw = track(netConnect(port, '127.0.0.1'));
    await once(raw, 'connect');
    const own = await becomes(() => {
      const socket = new ours.TLSSocket(raw, options);
      (socket as unknown as { _start(): void })._start();
      return socket as never;
    }, 'secure');
    expect(own).toEqual(theirs === 'taken' ? 'secure' : theirs);
  });
});
