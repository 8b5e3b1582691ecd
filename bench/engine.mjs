import { writeHeapSnapshot } from 'node:v8';
import { systemCrypto } from '@testudo/crypto/openssl';
import {
  clientConfig,
  clientConnection,
  credential,
  serverConfig,
  serverConnection,
  TicketKeys,
  verifyWith,
} from '@testudo/tls';
import { parseCertificates, parsePrivateKey, TrustStore } from '@testudo/x509';
import { makeMaterial } from './lib/material.mjs';
import { SERVER_NAME } from './lib/settings.mjs';

/**
 * The engine alone, in memory, one process, no sockets: what a handshake and a gigabyte cost before any I/O.
 * For profiles: `node --cpu-prof --cpu-prof-dir=DIR bench/engine.mjs full 5000`, then `node bench/profile.mjs DIR`.
 * Prints microseconds of each side per handshake, or milliseconds per GiB.
 */
const [what = 'all', count = '3000'] = process.argv.slice(2);

const material = makeMaterial();
const chain = parseCertificates(material.server.cert).map(({ der }) => der);
const key = parsePrivateKey(material.server.key, systemCrypto());
const common = {
  provider: systemCrypto(),
  minVersion: 'TLSv1.3',
  cipherSuites: ['TLS_AES_128_GCM_SHA256'],
  groups: ['X25519'],
};
const ours = serverConfig({
  ...common,
  credentials: [credential(systemCrypto(), chain, key)],
  tickets: new TicketKeys(systemCrypto()),
});
const trustStore = new TrustStore(parseCertificates(material.ca));
const verifyCertificate = verifyWith(systemCrypto(), () => trustStore);
const theirs = clientConfig({ ...common, verifyCertificate });

class Side {
  spent = 0n;
  sessions = [];
  received = 0;

  timed(work) {
    const before = process.hrtime.bigint();
    const result = work();
    this.spent += process.hrtime.bigint() - before;
    return result;
  }
}
const side = { client: new Side(), server: new Side() };

// Names that tell the sides apart in a profile: `node bench/profile.mjs DIR --under serverSide`.
function serverSide(work) {
  return side.server.timed(work);
}
function clientSide(work) {
  return side.client.timed(work);
}

function handshake(session) {
  const { client, server } = side;
  const events = (of) => ({
    failed: (error) => {
      throw error;
    },
    session: (value) => of.sessions.push(value),
    data: (bytes) => {
      of.received += bytes.length;
    },
  });
  clientSide(() => {
    client.connection = clientConnection(theirs, { host: SERVER_NAME, session, events: events(client) });
    client.connection.start();
  });
  serverSide(() => {
    server.connection = serverConnection(ours, { events: events(server) });
    server.connection.start();
  });
  for (;;) {
    const up = clientSide(() => client.connection.takeOutgoing());
    if (up !== undefined) serverSide(() => server.connection.receive(up));
    const down = serverSide(() => server.connection.takeOutgoing());
    if (down !== undefined) clientSide(() => client.connection.receive(down));
    if (up === undefined && down === undefined) break;
  }
  if (server.connection.info?.resumed !== (session !== undefined)) throw new Error('not what was meant');
}

/** Twenty batches after a warm-up: the median, and the least, which other programs disturbed least. */
function handshakes(label, session) {
  const batch = Math.ceil(Number(count) / 20);
  const samples = { client: [], server: [] };
  for (let round = -10; round < 20; round++) {
    side.client.spent = side.server.spent = 0n;
    for (let i = 0; i < batch; i++) handshake(session);
    if (round < 0) continue;
    for (const name of ['client', 'server']) samples[name].push(Number(side[name].spent) / 1000 / batch);
  }
  const text = (values) => {
    const sorted = values.toSorted((a, b) => a - b);
    return `${sorted[10].toFixed(1)} µs (least ${sorted[0].toFixed(1)})`;
  };
  console.log(`${label}: server ${text(samples.server)}, client ${text(samples.client)}`);
}

function bulk() {
  handshake();
  const { client, server } = side;
  const chunk = new Uint8Array(65_536).fill(1);
  for (const phase of ['warm-up', 'bulk']) {
    server.spent = client.spent = 0n;
    for (let sent = 0; sent < 2 ** 30; sent += chunk.length) {
      const bytes = serverSide(() => {
        server.connection.send(chunk);
        return server.connection.takeOutgoing();
      });
      clientSide(() => client.connection.receive(bytes));
    }
    const each = ({ spent }) => (Number(spent) / 1e6).toFixed(0);
    if (phase === 'bulk') console.log(`bulk: send ${each(server)} ms, receive ${each(client)} ms per GiB`);
  }
}

/** What is left of a server's connection when it does nothing: heap and external memory. Needs --expose-gc. */
function memory() {
  for (let i = 0; i < 100; i++) handshake();
  const kept = [];
  const used = () => {
    side.client.sessions = [];
    for (let i = 0; i < 3; i++) globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  for (let i = 0; i < 2000; i++) {
    handshake();
    kept.push(side.server.connection);
  }
  console.log(`memory: ${((used() - before) / kept.length).toFixed(0)} bytes per server connection`);
  if (process.argv[4]) writeHeapSnapshot(process.argv[4]);
}

if (what === 'memory') memory();
if (what === 'full' || what === 'all') handshakes('full handshake');
if (what === 'resumed' || what === 'all') {
  handshake();
  handshakes('resumed handshake', side.client.sessions.at(-1));
}
if (what === 'bulk' || what === 'all') bulk();
