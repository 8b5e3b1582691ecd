// STARTTLS by hand, at both ends, with all that a program may have done with the raw socket before, or does after.

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { identity, listen, report } from '../support/program.mjs';

const maxVersion = process.env.VERSION;

/** A server that upgrades by what Node documents: `new TLSSocket(raw, { isServer: true })`. */
async function startServer(upgrade) {
  const server = net.createServer((raw) => {
    raw.on('error', () => {});
    raw.write('220 hello\r\n');
    raw.once('data', () => {
      raw.write('220 go on\r\n', () => {
        const socket = upgrade(raw);
        socket.on('error', () => {});
        socket.on('data', (chunk) => socket.write(chunk));
        socket.on('end', () => socket.end());
      });
    });
  });
  return { server, port: await listen(server) };
}

const BY_SOCKET = (raw) =>
  new tls.TLSSocket(raw, {
    isServer: true,
    secureContext: tls.createSecureContext({ ...identity(), maxVersion }),
  });
const acceptor = tls.createServer({ ...identity(), maxVersion }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => socket.write(chunk));
});
const BY_SERVER = (raw) => {
  raw.removeAllListeners('data');
  acceptor.emit('connection', raw);
  return new net.Socket();
};

/** What a client has done to its raw socket, before and after the upgrade. */
const HABITS = {
  plain: {},
  'set its encoding before': { before: (raw) => raw.setEncoding('utf8') },
  'left a listener for data': { before: (raw) => raw.on('data', (chunk) => seen.push(chunk.length)) },
  'left a listener for readable': { before: (raw) => raw.on('readable', () => {}) },
  'left a pipe': {
    before: (raw) =>
      raw.pipe(
        new net.Socket().on('error', () => {}),
        { end: false },
      ),
  },
  'removes all its listeners': { after: (raw) => raw.removeAllListeners() },
  'pauses it': { after: (raw) => raw.pause() },
  'sets a timeout on it': { after: (raw) => raw.setTimeout(60_000) },
};
let seen = [];

async function upgrade(port, { before, after }) {
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'data');
  raw.write('STARTTLS\r\n');
  await once(raw, 'data');
  before?.(raw);
  seen = [];
  const socket = tls.connect({ socket: raw, servername: 'localhost' });
  after?.(raw);
  const closes = [];
  const closed = new Promise((resolve) => socket.on('close', (hadError) => resolve(closes.push(hadError))));
  await once(socket, 'secureConnect');
  const version = socket.getProtocol();
  const text = 'x'.repeat(100_000);
  socket.write(text);
  let length = 0;
  for await (const chunk of socket) {
    length += chunk.length;
    if (length >= text.length) break;
  }
  await closed;
  return {
    version,
    authorized: socket.authorized,
    length,
    closes,
    ciphertextSeen: seen.length,
  };
}

for (const [name, way] of Object.entries({ 'a TLSSocket': BY_SOCKET, 'a server': BY_SERVER })) {
  const { server, port } = await startServer(way);
  for (const [habit, hooks] of Object.entries(HABITS)) {
    if (way === BY_SERVER && habit !== 'plain') continue;
    report(`${name}, and a client that ${habit}`, await upgrade(port, hooks));
  }
  server.close();
}
acceptor.close();

// The raw socket goes away under it.
const { server, port } = await startServer(BY_SOCKET);
for (const [name, goAway] of Object.entries({
  destroyed: (raw) => raw.destroy(),
  'destroyed for a reason': (raw) => raw.destroy(new Error('of the program')),
  ended: (raw) => raw.end(),
})) {
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'data');
  raw.write('STARTTLS\r\n');
  await once(raw, 'data');
  const socket = tls.connect({ socket: raw, servername: 'localhost' });
  const events = [];
  socket.on('error', (error) => events.push(`error ${error.message}`));
  raw.on('error', () => {});
  const closed = new Promise((resolve) =>
    socket.on('close', (hadError) => resolve(events.push(`close ${hadError}`))),
  );
  await once(socket, 'secureConnect');
  socket.resume();
  goAway(raw);
  await closed;
  report(`${name} raw socket`, events);
}
server.close();
