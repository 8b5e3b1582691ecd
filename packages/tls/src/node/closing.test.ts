import { createServer as createNetServer, connect as netConnect, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionOptions, TLSSocket } from './index.ts';
import { Story, settled } from './testing/story.ts';
import { ca, closeAll, listen, nodes, ours, serverIdentity, type Tls, track } from './testing/support.ts';

afterEach(closeAll);

const EVENTS = ['connect', 'secureConnect', 'end', 'timeout', 'error', 'close'];

type Peer = (socket: Socket) => void;

/** A TCP server whose connections are treated like that, and its port. */
async function peer(treat: Peer): Promise<number> {
  return await listen(
    createNetServer({ allowHalfOpen: true }, (socket) => {
      track(socket).on('error', () => {});
      treat(socket);
    }),
  );
}

/** The raw connections of Node's TLS server, treated like that when TLS is there. */
async function tlsPeer(treat: (raw: Socket, tls: TLSSocket) => void): Promise<number> {
  const raws: Socket[] = [];
  const server = nodes.createServer(serverIdentity, (socket) => {
    socket.on('error', () => {});
    treat(raws.find(({ remotePort }) => remotePort === socket.remotePort)!, socket);
  });
  server.on('connection', (raw: Socket) => raws.push(track(raw)));
  server.on('tlsClientError', () => {});
  return await listen(server);
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createNetServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const silent: Peer = (socket) => {
  socket.resume();
};
const resets: Peer = (socket) => {
  socket.once('data', () => socket.resetAndDestroy());
};
const ends: Peer = (socket) => {
  socket.once('data', () => socket.end());
};
const junk: Peer = (socket) => {
  socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
};

type Act = (client: TLSSocket, story: Story) => void;

interface Case {
  readonly port: () => Promise<number>;
  readonly options?: (port: number) => ConnectionOptions;
  readonly act?: Act;
}

const failingLookup: ConnectionOptions['lookup'] = (host, _options, done) => {
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  setImmediate(() => done(error, '', 4));
};

const destroyOn =
  (event: string, error?: Error): Act =>
  (client) =>
    client.once(event, () => client.destroy(error));
const abortOn = (event: string): Pick<Case, 'options' | 'act'> => {
  const controllers: AbortController[] = [];
  return {
    options: () => {
      const controller = new AbortController();
      controllers.push(controller);
      return { signal: controller.signal };
    },
    act: (client) => client.once(event, () => controllers.pop()!.abort()),
  };
};
const speaks = () => tlsPeer((_raw, tls) => tls.end('hello'));
const quiet = () => tlsPeer(() => {});

const CASES: Readonly<Record<string, Case>> = {
  'a refused port': { port: closedPort },
  'a host that is not found': {
    port: closedPort,
    options: () => ({ host: 'x.example', lookup: failingLookup }),
  },
  'no such path': { port: closedPort, options: () => ({ path: '/no/such/socket', port: undefined }) },
  'a reset before the handshake': { port: () => peer(resets) },
  'an end before the handshake': { port: () => peer(ends) },
  'a reset at once': { port: () => peer((socket) => socket.resetAndDestroy()) },
  'a reset after the handshake': { port: () => tlsPeer((raw) => raw.resetAndDestroy()) },
  'a reset after data': {
    port: () => tlsPeer((raw, tls) => tls.write('hello', () => setImmediate(() => raw.resetAndDestroy()))),
  },
  'an end after the handshake': { port: speaks },
  'destroyed at once': { port: () => peer(silent), act: (client) => client.destroy() },
  'destroyed at once with an error': {
    port: () => peer(silent),
    act: (client) => client.destroy(new Error('mine')),
  },
  'destroyed twice': {
    port: () => peer(silent),
    act: (client) => client.destroy().destroy(new Error('late')),
  },
  'destroyed in connect': { port: () => peer(silent), act: destroyOn('connect') },
  'destroyed in secureConnect': { port: quiet, act: destroyOn('secureConnect') },
  'destroyed in secureConnect with an error': {
    port: quiet,
    act: destroyOn('secureConnect', new Error('mine')),
  },
  'destroyed in session': { port: quiet, act: destroyOn('session') },
  'destroyed in data': { port: speaks, act: destroyOn('data') },
  'destroyed in end': { port: speaks, act: destroyOn('end') },
  'destroyed in error': { port: closedPort, act: destroyOn('error', new Error('late')) },
  'destroyed in close': { port: speaks, act: destroyOn('close') },
  'destroyed while a write waits': {
    port: quiet,
    act: (client) => {
      client.write('early');
      client.destroy();
    },
  },
  'ended at once': { port: () => tlsPeer((_raw, tls) => tls.resume()), act: (client) => client.end() },
  'ended in secureConnect': {
    port: () => tlsPeer((_raw, tls) => tls.resume()),
    act: (client) => client.once('secureConnect', () => client.end()),
  },
  'destroySoon in secureConnect': {
    port: () => tlsPeer((_raw, tls) => tls.resume()),
    act: (client) => client.once('secureConnect', () => client.destroySoon()),
  },
  'a signal in connect': { port: () => peer(silent), ...abortOn('connect') },
  'a signal in secureConnect': { port: quiet, ...abortOn('secureConnect') },
  'a timeout that destroys': {
    port: () => peer(silent),
    act: (client) => {
      client.once('connect', () => client.setTimeout(20));
      client.once('timeout', () => client.destroy(new Error('too slow')));
    },
  },
  'a certificate that nobody trusts': { port: quiet, options: () => ({ ca: [] }) },
  'a certificate for another name': { port: quiet, options: () => ({ servername: 'other.example' }) },
};

async function storyOf(tls: Tls, { port, options, act }: Case): Promise<readonly string[]> {
  const at = await port();
  const story = new Story();
  const client = track(
    tls.connect({ port: at, host: '127.0.0.1', servername: 'localhost', ca, ...options?.(at) }),
  );
  story.watch('tls', client, EVENTS);
  client.resume();
  const closed = new Promise((resolve) => client.once('close', resolve));
  act?.(client, story);
  await closed;
  await settled();
  return story.lines;
}

describe('a client closes once, and says what Node says', () => {
  test.each(Object.entries(CASES))('%s', async (_name, one) => {
    const expected = await storyOf(nodes, one);
    expect(await storyOf(ours, one)).toEqual(expected);
    expect(expected.filter((line) => line.startsWith('tls close'))).toHaveLength(1);
  });
});

/** One end of a pipe that can break in several ways. */
class Line extends Duplex {
  other!: Line;

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (!this.other.destroyed) this.other.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    if (!this.other.destroyed) this.other.push(null);
    done();
  }
}

function line(options: object = {}): [Line, Line] {
  const ends: [Line, Line] = [new Line(options), new Line()];
  [ends[0].other, ends[1].other] = [ends[1], ends[0]];
  ends[1].on('error', () => {});
  return ends;
}

type Break = (below: Line, far: Line, client: TLSSocket) => void;

const BREAKS: Readonly<Record<string, Break>> = {
  'is destroyed': (below) => below.destroy(),
  'is destroyed with an error': (below) => below.destroy(new Error('cut')),
  'emits an error and is destroyed': (below) => {
    below.emit('error', new Error('told'));
    below.destroy();
  },
  'has text of its own': (below) => {
    below.setEncoding('utf8');
    below.push('some text');
  },
  'is closed by the socket': (_below, _far, client) => client.destroy(),
  'is closed by the socket, with an error': (_below, _far, client) => client.destroy(new Error('mine')),
};

async function overLine(
  tls: Tls,
  breaks: Break,
  isSecure: boolean,
  options: object,
): Promise<readonly string[]> {
  const story = new Story();
  const [below, far] = line(options);
  const server = nodes.createServer(serverIdentity, (socket) => socket.on('error', () => {}));
  server.on('tlsClientError', () => {});
  const client = track(tls.connect({ socket: below, servername: 'localhost', ca }));
  story.watch('tls', client, ['secureConnect', 'end', 'error', 'close']);
  story.watch('below', below, ['end', 'error', 'close']);
  const closed = new Promise((resolve) => client.once('close', resolve));
  if (isSecure) {
    server.emit('connection', far);
    await new Promise((resolve) => client.once('secureConnect', resolve));
  }
  await settled();
  breaks(below, far, client);
  const stuck = settled().then(() => client.destroy());
  await Promise.all([closed, stuck]);
  await settled();
  return story.lines;
}

describe.each([
  ['before the handshake', false],
  ['after the handshake', true],
] as const)('a Duplex that %s', (_when, isSecure) => {
  test.each(Object.entries(BREAKS))('%s', async (_name, breaks) => {
    const expected = await overLine(nodes, breaks, isSecure, {});
    expect(await overLine(ours, breaks, isSecure, {})).toEqual(expected);
  });

  test.each([{ emitClose: false }, { autoDestroy: false }])('%j', async (options) => {
    for (const breaks of Object.values(BREAKS)) {
      const expected = await overLine(nodes, breaks, isSecure, options);
      expect(await overLine(ours, breaks, isSecure, options)).toEqual(expected);
    }
  });
});

/** Sockets that are not connected, or no longer. */
const RAWS: Readonly<Record<string, () => Promise<Socket>>> = {
  'that was destroyed before': async () => {
    const raw = netConnect(await peer(silent), '127.0.0.1');
    await new Promise((resolve) => raw.once('connect', resolve));
    return raw.destroy();
  },
  'that is refused': async () => netConnect(await closedPort(), '127.0.0.1'),
  'that is destroyed while it connects': async () => {
    const raw = netConnect(await peer(silent), '127.0.0.1');
    setImmediate(() => raw.destroy());
    return raw;
  },
  'that is destroyed with an error while it connects': async () => {
    const raw = netConnect(await peer(silent), '127.0.0.1');
    process.nextTick(() => raw.destroy(new Error('mine')));
    return raw;
  },
  'whose peer ends': async () => netConnect(await peer(ends), '127.0.0.1'),
  'whose peer resets': async () => netConnect(await peer(resets), '127.0.0.1'),
  'whose peer talks of something else': async () => netConnect(await peer(junk), '127.0.0.1'),
  'that has no handle, and is destroyed': async () => {
    const raw = new Socket();
    setImmediate(() => raw.destroy());
    return raw;
  },
};

async function overRaw(tls: Tls, make: () => Promise<Socket>): Promise<readonly string[]> {
  const story = new Story();
  const raw = track(await make());
  story.watch('raw', raw, ['connect', 'end', 'error', 'close']);
  const client = track(tls.connect({ socket: raw, servername: 'localhost', ca }));
  story.watch('tls', client, EVENTS);
  client.resume();
  const closed = new Promise((resolve) => client.once('close', resolve));
  await closed;
  await settled();
  return story.lines;
}

describe('a raw socket', () => {
  test.each(Object.entries(RAWS))('%s', async (_name, make) => {
    const expected = await overRaw(nodes, make);
    expect(await overRaw(ours, make)).toEqual(expected);
  });
});

test('a raw socket that was closed long before is an error, for which Node hangs', async () => {
  const raw = netConnect(await peer(silent), '127.0.0.1');
  await new Promise((resolve) => raw.once('connect', resolve));
  await new Promise((resolve) => raw.once('close', resolve).destroy());
  const seen = await overRaw(ours, async () => raw);
  expect(seen).toEqual(['tls error ECONNRESET', 'tls close true']);
});

test('a signal that was aborted before is told once, for which Node closes first and connects then', async () => {
  const signal = AbortSignal.abort();
  const seen = await storyOf(ours, { port: () => peer(silent), options: () => ({ signal }) });
  expect(seen).toEqual(['tls error ABORT_ERR', 'tls close true']);
});
