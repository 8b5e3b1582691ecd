import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect as connectTls, createSecureContext, createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lanesTable, summariseLanes } from './lib/certificates.mjs';
import { makeMaterial } from './lib/material.mjs';
import { SERVER_NAME } from './lib/settings.mjs';

/**
 * How fast a TLS server, or a client, on `node:net` and `node:crypto` can be at all: its sockets and its calls to OpenSSL, and no TLS.
 * Lanes in turn; CPU time of the server's process (all threads) for each connection or GiB, and the ratio to `node:tls`.
 */
const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const rounds = Number(options.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a number from 1');

const TCP = 'TCP alone';
const WORKLOADS = {
  'full handshake': {
    work: 'handshake',
    lanes: ['node:tls', TCP, 'TCP, X25519, signature', 'TCP, X25519, signature, HMAC, AEAD'],
    warmUp: 4,
    units: 1000,
    unit: '\u00b5s',
    run: connections,
  },
  'send 1 GiB': {
    work: 'send',
    lanes: ['node:tls', TCP, 'TCP, AEAD'],
    warmUp: 2,
    units: 250,
    unit: 'ms',
    run: takeAll,
  },
  'receive 1 GiB': {
    work: 'receive',
    lanes: ['node:tls', TCP, 'TCP, AEAD'],
    warmUp: 2,
    units: 250,
    unit: 'ms',
    run: giveAll,
  },
};
const TOTAL = 2 ** 28;
const CHUNK = Buffer.alloc(65_536, 'testudo ');
const programOf = (role) => fileURLToPath(new URL(`lib/floor-${role}.mjs`, import.meta.url));

const material = makeMaterial();
const context = createSecureContext({ ca: material.ca, minVersion: 'TLSv1.3', ecdhCurve: 'X25519' });
for (const [title, { work, lanes: names, warmUp, units, unit, run }] of Object.entries(WORKLOADS)) {
  const lanes = await Promise.all(names.map((name) => startLane(work, name)));
  for (const lane of lanes) for (let i = 0; i < warmUp; i++) await run(lane, units);
  for (let round = 0; round < rounds; round++)
    for (const lane of lanes) {
      await lane.ask('start');
      await run(lane, units);
      lane.samples.push((await lane.ask('stop')).cpu / units);
    }
  console.log(`${lanesTable(`${title}, server`, unit, [summariseLanes('CPU time', lanes)])}\n`);
  for (const { child } of lanes) child.disconnect();
}

await measureClients();

async function measureClients() {
  const names = WORKLOADS['full handshake'].lanes;
  const servers = [tlsServer(), tcpServer()];
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  const lanes = [];
  for (const [index, name] of names.entries()) {
    const { port } = servers[Math.min(index, 1)].address();
    const child = fork(programOf('client'), [JSON.stringify([name, material, SERVER_NAME, port])]);
    await once(child, 'message');
    lanes.push({ name, child, samples: [] });
  }
  const run = async ({ child }) => {
    child.send(1000);
    return (await once(child, 'message'))[0].cpu / 1000;
  };
  for (const lane of lanes) for (let i = 0; i < 4; i++) await run(lane);
  for (let round = 0; round < rounds; round++) for (const lane of lanes) lane.samples.push(await run(lane));
  console.log(lanesTable('full handshake, client', '\u00b5s', [summariseLanes('CPU time', lanes)]));
  for (const { child } of lanes) child.disconnect();
  for (const server of servers) server.close();
}

function tlsServer() {
  return createTlsServer({ ...material.server, minVersion: 'TLSv1.3' }, (socket) => {
    socket.setNoDelay(true).on('error', () => {});
    socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
  });
}

function tcpServer() {
  return createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    let turn = 0;
    socket.on('data', () => socket.write(CHUNK.subarray(0, turn++ === 0 ? 950 : 550)));
    socket.on('end', () => socket.end(CHUNK.subarray(0, 24))).on('error', () => {});
  });
}

async function startLane(work, name) {
  const child = fork(programOf('server'), [JSON.stringify([work, name, material])]);
  const heard = () => new Promise((resolve) => child.once('message', resolve));
  const { port } = await heard();
  const ask = (message) => {
    child.send(message);
    return heard();
  };
  return { name, child, port, ask, samples: [] };
}

function connect({ name, port }, onConnect) {
  const at = { port, host: '127.0.0.1' };
  if (name !== 'node:tls') return connectTcp({ ...at, noDelay: true }, onConnect);
  const socket = connectTls({ ...at, servername: SERVER_NAME, secureContext: context }, onConnect);
  return socket.setNoDelay(true);
}

/** As in the other benchmarks: a byte there and back, closed by the client, eight at a time. */
async function connections(lane, count) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await connectOnce(lane);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

function connectOnce(lane) {
  return new Promise((resolve, reject) => {
    // Without TLS the two flights of its client, of their usual lengths.
    const turns = lane.name === 'node:tls' ? [1] : [250, 102];
    let turn = 0;
    const socket = connect(lane, () => socket.write(CHUNK.subarray(0, turns[turn++])));
    socket.on('data', () => {
      if (turn < turns.length) socket.write(CHUNK.subarray(0, turns[turn++]));
      else if (!socket.writableEnded)
        socket.end(lane.name === 'node:tls' ? undefined : CHUNK.subarray(0, 24));
    });
    socket.on('error', reject).on('close', resolve);
  });
}

function takeAll(lane) {
  return overOne(lane, (socket, done) => {
    let left = TOTAL;
    socket.on('data', ({ length }) => {
      left -= length;
      if (left === 0) done();
    });
    socket.write('.');
  });
}

function giveAll(lane) {
  return overOne(lane, (socket, done) => {
    socket.once('data', done);
    let left = TOTAL;
    const more = () => {
      while (left > 0) {
        left -= CHUNK.length;
        if (!socket.write(CHUNK)) return left > 0 && socket.once('drain', more);
      }
    };
    more();
  });
}

function overOne(lane, work) {
  return new Promise((resolve, reject) => {
    const socket = connect(lane, () => work(socket, () => socket.destroy()));
    socket.on('error', reject).on('close', resolve);
  });
}
