import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer as createNetServer, connect as netConnect } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import nodeTls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { NODE_MAJOR } from './as-node/running-node.ts';
import type { ConnectionOptions, TlsOptions } from './index.ts';
import tls, { TLSSocket } from './index.ts';
import {
  BOTH,
  ca,
  closeAll,
  connected,
  issue,
  listen,
  nodes,
  ours,
  serverIdentity,
  type Tls,
  track,
} from './testing/support.ts';

// Small things that programs are known to look at: the same as in Node.

afterEach(closeAll);

/** What becomes of a handshake in which the server's callback throws, at both ends. */
async function told(of: Tls, server: object, client: ConnectionOptions = {}): Promise<unknown[]> {
  const seen: unknown[] = [];
  const listening = of.createServer({ ...serverIdentity, ...server } as TlsOptions, () =>
    seen.push('secure'),
  );
  listening.on('tlsClientError', (error) => seen.push(error.message));
  const port = await listen(listening);
  const socket = track(
    of.connect({ port, ca, servername: 'localhost', checkServerIdentity: () => undefined, ...client }),
  );
  socket.on('error', (error) => seen.push((error as NodeJS.ErrnoException).code));
  await new Promise((resolve) => socket.on('close', resolve));
  return seen;
}

describe('a callback that throws', () => {
  const boom = () => {
    throw new Error('boom');
  };
  const psk = { psk: Buffer.alloc(32), identity: 'x' };
  test.each([
    ['SNICallback', { SNICallback: boom }, {}],
    [
      'SNICallback with an error',
      { SNICallback: (_: string, done: (e: Error) => void) => done(new Error('boom')) },
      {},
    ],
    ['ALPNCallback', { ALPNCallback: boom }, { ALPNProtocols: ['x'] }],
    [
      'pskCallback',
      { ciphers: 'PSK+HIGH', pskCallback: boom },
      { ciphers: 'PSK+HIGH', pskCallback: () => psk },
    ],
  ])('%s: the server tells it, the peer hears nothing', async (_name, server, client) => {
    const [own, theirs] = [await told(ours, server, client), await told(nodes, server, client)];
    expect(own.sort()).toEqual(theirs.sort());
    expect(own).toEqual(['ECONNRESET', 'boom']);
  });

  test.each(['a text', 7, true])('pskCallback that answers %o', async (answer) => {
    const server = { ciphers: 'PSK+HIGH', pskCallback: () => answer };
    const [message] = await told(ours, server, { ciphers: 'PSK+HIGH', pskCallback: () => psk });
    expect(message).toContain('must be an instance of Buffer, TypedArray, or DataView');
  });
});

test.each([
  ['throws', () => boomOf('client'), 'client'],
  ['answers a text', () => 'a text', 'ERR_INVALID_ARG_TYPE'],
  ['gives no key', () => ({ identity: 'x' }), 'ERR_INVALID_ARG_TYPE'],
])('a client\u2019s pskCallback that %s fails with its error', async (_name, pskCallback, expected) => {
  const server = ours.createServer({ ciphers: 'PSK+HIGH', pskCallback: () => Buffer.alloc(32) });
  const port = await listen(server);
  const options = { port, ciphers: 'PSK+HIGH', pskCallback } as unknown as ConnectionOptions;
  const [error] = (await once(track(ours.connect(options)), 'error')) as [NodeJS.ErrnoException];
  expect([error.message, error.code]).toContain(expected);
});

function boomOf(message: string): never {
  throw new Error(message);
}

test.each(BOTH)('a name that failed stands on the socket: %s', async (_name, of) => {
  const server = of.createServer({
    SNICallback: (_: string, done: (error: Error) => void) => done(new Error('unknown')),
  } as TlsOptions);
  const port = await listen(server);
  const failed = once(server, 'tlsClientError') as Promise<unknown> as Promise<[Error, TLSSocket]>;
  track(of.connect({ port, servername: 'a.example' })).on('error', () => {});
  expect((await failed)[1].servername).toBe('a.example');
});

test.each(BOTH)('a buffer of onread is asked for before there is anything: %s', async (_name, of) => {
  let asked = 0;
  const pieces: number[] = [];
  const server = of.createServer(serverIdentity, (socket) => socket.end('hello world'));
  const onread = {
    buffer: () => {
      asked++;
      return Buffer.alloc(2);
    },
    callback: (length: number) => {
      pieces.push(length);
      return true;
    },
  };
  const socket = track(
    of.connect({ port: await listen(server), ca, servername: 'localhost', onread } as ConnectionOptions),
  );
  await once(socket, 'end');
  expect([asked, pieces]).toEqual([7, [2, 2, 2, 2, 2, 1]]);
});

test.each(BOTH)('callbacks of %s are called as methods of the socket', async (_name, of) => {
  const seen: unknown[] = [];
  const options = {
    SNICallback(this: unknown, _name: string, done: (error: null) => void) {
      seen.push(this instanceof of.TLSSocket);
      done(null);
    },
    ALPNCallback(this: unknown) {
      seen.push(this instanceof of.TLSSocket);
      return 'x';
    },
  };
  await connected(of, of, { ...serverIdentity, ...options } as TlsOptions, {
    ca,
    servername: 'localhost',
    ALPNProtocols: ['x'],
  });
  expect(seen).toEqual([true, true]);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'ALPNCallback may show another certificate: %s',
  async (maxVersion) => {
    const other = issue({ names: ['other.example'] });
    const server = {
      ...serverIdentity,
      ALPNCallback(this: TLSSocket, { protocols }: { protocols: string[] }) {
        if (protocols[0] === 'acme-tls/1') this.setKeyCert(tls.createSecureContext(other));
        return protocols[0];
      },
    };
    for (const [protocol, name] of [
      ['acme-tls/1', 'other.example'],
      ['http/1.1', 'localhost'],
    ]) {
      const { client } = await connected(ours, ours, { ...server, maxVersion } as TlsOptions, {
        ca,
        servername: name,
        ALPNProtocols: [protocol!],
      });
      expect(client.getPeerCertificate().subject.CN).toBe(name);
    }
  },
);

test('what a server was given stands on it', async () => {
  for (const options of [{}, { allowHalfOpen: true, pauseOnConnect: true, ALPNProtocols: ['h2', 'x'] }]) {
    const [own, theirs] = [ours.createServer(options), nodes.createServer(options)] as unknown as Record<
      string,
      unknown
    >[];
    for (const name of ['allowHalfOpen', 'pauseOnConnect', 'ALPNProtocols']) {
      expect([name, own![name]]).toEqual([name, theirs![name]]);
    }
  }
  const server = ours.createServer({ ...serverIdentity, allowHalfOpen: true, pauseOnConnect: true });
  const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const client = track(ours.connect({ port: await listen(server), ca, servername: 'localhost' }));
  const [socket] = await accepted;
  expect([socket.allowHalfOpen, socket.isPaused()]).toEqual([true, true]);
  client.end('hello');
  socket.resume();
  await once(socket, 'end');
  socket.end();
});

test.each(BOTH)('allowHalfOpen of %s is for sockets that connect themselves', (_name, of) => {
  const ofGiven = (given: Duplex | undefined, allowHalfOpen: boolean) => {
    const socket = track(new of.TLSSocket(given as never, { allowHalfOpen } as never));
    socket.on('error', () => {});
    return socket.allowHalfOpen;
  };
  expect(ofGiven(undefined, true)).toBe(true);
  expect(ofGiven(undefined, false)).toBe(false);
  for (const own of [true, false]) expect(ofGiven(duplexPair()[0], own)).toBe(true);
  const closing = new Duplex({ allowHalfOpen: false, read() {}, write: (_chunk, _encoding, done) => done() });
  expect(ofGiven(closing, true)).toBe(false);
});

test('what is no stream is refused', () => {
  for (const none of [{}, 'x', new EventTarget(), 7]) {
    expect(() => new nodeTls.TLSSocket(none as never)).toThrow(TypeError);
    expect(() => new TLSSocket(none as never)).toThrow(TypeError);
  }
});

test('the prototype can be looked at', () => {
  for (
    let at: object = TLSSocket.prototype;
    at !== Duplex.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    for (const name of ['bytesRead', 'bytesWritten', 'bufferSize', 'remoteAddress', 'localPort', 'pending']) {
      expect(() => Reflect.get(at, name), name).not.toThrow();
    }
  }
  expect(TLSSocket.prototype.bytesWritten).toBeUndefined();
});

test('connecting is told to diagnostics once', async () => {
  const seen: boolean[] = [];
  const look = (message: unknown) =>
    void seen.push((message as { socket: unknown }).socket instanceof TLSSocket);
  subscribe('net.client.socket', look);
  try {
    await connected(ours, ours, serverIdentity, { ca, servername: 'localhost' });
  } finally {
    unsubscribe('net.client.socket', look);
  }
  expect(seen).toEqual([true]);
});

test.each(BOTH)(
  'a name after the options of %s is passed over, after a port it counts',
  async (_name, of) => {
    const server = createNetServer((socket) => socket.end());
    const port = await listen(server as never);
    const hosts: unknown[] = [];
    for (const args of [
      [{ port, family: 4 }, '127.0.0.1'],
      [port, '127.0.0.1'],
      [String(port), '127.0.0.1'],
    ]) {
      const socket = track((of.connect as (...all: unknown[]) => TLSSocket)(...args));
      const [error] = (await once(socket, 'error')) as [{ host?: string }];
      hosts.push(error.host);
    }
    expect(hosts).toEqual([undefined, '127.0.0.1', '127.0.0.1']);
  },
);

test('ssl is there until the socket is destroyed', async () => {
  const { client } = await connected(ours, ours, serverIdentity, { ca, servername: 'localhost' });
  const { ssl } = client;
  expect(ssl!.verifyError()).toBeNull();
  expect([ssl!.getServername(), ssl!.isSessionReused(), ssl!.fd > 0]).toEqual(['localhost', false, true]);
  client.destroy();
  expect(client.ssl).toBeNull();
  client._destroySSL();
  const over = track(new TLSSocket(netConnect({ port: 9, host: '127.0.0.1' }).on('error', () => {})));
  over._destroySSL();
  expect(over.ssl).toBeNull();
});

test('bufferSize is what waits to be sent', async () => {
  const { client } = await connected(ours, ours, serverIdentity, { ca, servername: 'localhost' });
  expect(client.bufferSize).toBe(client.writableLength);
  client.destroy();
  expect(client.bufferSize).toBeUndefined();
});

test('of several things that are wrong with a connection Node\u2019s first is told', () => {
  const told = (tls: typeof ours, options: object): unknown => {
    try {
      tls
        .connect(options as never)
        .on('error', () => {})
        .destroy();
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  const wrong: readonly object[] = [
    {},
    { checkServerIdentity: 1 },
    { minDHSize: 'x' },
    { minDHSize: 0 },
    { ciphers: 1 },
    { checkServerIdentity: null, ciphers: 1 },
    { checkServerIdentity: undefined, port: 1 },
    { minDHSize: undefined, port: 1 },
  ];
  // Older ones throw of themselves, with another code.
  for (const options of NODE_MAJOR < 22 ? wrong.slice(0, 1) : wrong)
    expect(told(ours, options), JSON.stringify(options)).toBe(told(nodes, options));
});
