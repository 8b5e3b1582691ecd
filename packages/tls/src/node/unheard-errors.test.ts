import { once } from 'node:events';
import nodeHttp2 from 'node:http2';
import nodeHttps from 'node:https';
import {
  createServer as createNetServer,
  type Server as NetServer,
  connect as netConnect,
  type Socket,
} from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import ourHttp2 from './http2.ts';
import ourHttps from './https.ts';
import { Story, settled } from './testing/story.ts';
import { closeAll, listen, nodes, ours, serverIdentity, type Tls, track } from './testing/support.ts';

afterEach(closeAll);

/** The first flight of a client. */
async function hello(): Promise<Buffer> {
  const server = createNetServer();
  const port = await listen(server);
  const [[socket]] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    Promise.resolve(track(nodes.connect({ port, rejectUnauthorized: false })).on('error', () => {})),
  ]);
  const [flight] = (await once(socket, 'data')) as [Buffer];
  return flight;
}

type Visit = (raw: Socket, flight: Buffer) => void;

/** What comes instead of a handshake. */
const VISITS: Readonly<Record<string, Visit>> = {
  junk: (raw) => raw.write('this is no TLS at all, and long enough to be seen as such\n'),
  'an HTTP request': (raw) => raw.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'),
  'a hang-up at once': (raw) => raw.end(),
  'a reset at once': (raw) => raw.resetAndDestroy(),
  'half a ClientHello and a hang-up': (raw, flight) => raw.end(flight.subarray(0, 60)),
  'a ClientHello and a hang-up': (raw, flight) => raw.end(flight),
  'a ClientHello and a reset': (raw, flight) => {
    raw.write(flight);
    raw.once('data', () => raw.resetAndDestroy());
  },
  'a ClientHello and junk': (raw, flight) => {
    raw.write(flight);
    raw.once('data', () => raw.write('this is no record, and long enough to be seen as such'));
  },
  'an alert': (raw) => raw.write(Buffer.from('15030100020228', 'hex')),
  'a broken ClientHello': (raw, flight) => {
    const broken = Buffer.from(flight);
    broken.fill(0xff, 40, 120);
    raw.write(broken);
  },
};

/** Node's words for what was wrong are its own; that something was wrong is compared, and when. */
function withoutReasons(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/ ERR_SSL_\S+/, ' ERR_SSL'));
}

async function visited(server: NetServer, visit: Visit): Promise<void> {
  const flight = await hello();
  const port = await listen(server);
  const raw = track(netConnect(port, '127.0.0.1'));
  raw.on('error', () => {});
  raw.resume();
  raw.once('connect', () => visit(raw, flight));
  await once(raw, 'close');
  await settled();
}

async function byHand(tls: Tls, visit: Visit, events: readonly string[]): Promise<readonly string[]> {
  const story = new Story();
  const server = createNetServer((raw) => {
    const secure = tls.createSecureContext(serverIdentity);
    const socket = track(new tls.TLSSocket(raw, { isServer: true, secureContext: secure as never }));
    story.watch('tls', socket, events);
    socket.resume();
  });
  await visited(server, visit);
  return withoutReasons(story.lines);
}

describe('new TLSSocket on a server, to which nobody listens, survives', () => {
  test.each(Object.entries(VISITS))('%s', async (_name, visit) => {
    const events = ['_tlsError', 'secure', 'end', 'close'];
    const expected = await byHand(nodes, visit, events);
    expect(await byHand(ours, visit, events)).toEqual(expected);
  });
});

describe('new TLSSocket on a server tells its errors to who listens', () => {
  test.each(Object.entries(VISITS))('%s', async (_name, visit) => {
    const events = ['_tlsError', 'error', 'secure', 'end', 'close'];
    const expected = await byHand(nodes, visit, events);
    expect(await byHand(ours, visit, events)).toEqual(expected);
  });
});

type Make = () => NetServer;

const SERVERS: Readonly<Record<string, readonly [Make, Make]>> = {
  tls: [() => nodes.createServer(serverIdentity), () => ours.createServer(serverIdentity)],
  https: [() => nodeHttps.createServer(serverIdentity), () => ourHttps.createServer(serverIdentity)],
  http2: [
    () => nodeHttp2.createSecureServer(serverIdentity),
    () => ourHttp2.createSecureServer(serverIdentity),
  ],
};

async function byServer(make: Make, visit: Visit): Promise<readonly string[]> {
  const story = new Story();
  const server = make();
  server.on('tlsClientError', (error: Error & { code?: string }, socket: Socket) => {
    story.note(`tlsClientError ${error.code}`);
    socket.destroy();
  });
  story.watch('server', server, ['secureConnection', 'error']);
  await visited(server, visit);
  return withoutReasons(story.lines);
}

describe.each(Object.entries(SERVERS))(
  'a server of %s tells once that there was no handshake',
  (_name, [theirs, own]) => {
    test.each(Object.entries(VISITS))('%s', async (_visit, visit) => {
      const expected = await byServer(theirs, visit);
      expect(await byServer(own, visit)).toEqual(expected);
    });
  },
);
