// One lane of bench/floor.mjs, in a process of its own.
import { createPrivateKey, sign } from 'node:crypto';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { floorCalls } from './floor-calls.mjs';

const [workload, lane, material] = JSON.parse(process.argv[2]);
const TOTAL = 2 ** 28;
const CHUNK = Buffer.alloc(65_536, 'testudo ');
const RECORD = 16_384;

const key = createPrivateKey(material.server.key);
const content = new Uint8Array(130);
const { isAsymmetric, generate, agree, hmacs, seal, open } = floorCalls(lane, RECORD);

const server = lane === 'node:tls' ? tlsServer() : tcpServer();
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

let before;
process.on('message', (message) => {
  if (message === 'start') before = process.cpuUsage();
  const { user, system } = process.cpuUsage(before);
  process.send({ cpu: user + system });
});
process.on('disconnect', () => process.exit());

function tlsServer() {
  const options = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', ecdhCurve: 'X25519' };
  return createTlsServer({ ...options, ...material.server }, (socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    const work = {
      handshake: (chunk) => socket.write(chunk),
      send: () => sendAll(socket, () => {}),
      receive: counting(socket, () => {}),
    };
    socket.on('data', work[workload]);
  });
}

/** The same turns on the wire, of about the same lengths; of TLS nothing but the calls to `node:crypto`. */
function tcpServer() {
  return createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    const work = {
      handshake: handshake(socket),
      send: () => sendAll(socket, () => eachRecord(seal)),
      receive: counting(socket, () => eachRecord(open)),
    };
    socket.on('data', work[workload]);
    socket.on('end', () => {
      if (workload !== 'handshake') socket.end();
      else {
        open(2);
        seal(2);
        socket.end(CHUNK.subarray(0, 24));
      }
    });
  });
}

/** As counted in our engine: 25 HMACs and nine AEADs, two of them for tickets. */
function handshake(socket) {
  let isFirst = true;
  return () => {
    if (isFirst) {
      isFirst = false;
      if (isAsymmetric) {
        agree(generate());
        sign('sha256', content, { key, dsaEncoding: 'der' });
      }
      hmacs(15);
      seal(800);
      socket.write(CHUNK.subarray(0, 950));
    } else {
      hmacs(10);
      open(36);
      open(1);
      for (const length of [200, 200, 500, 1]) seal(length);
      socket.write(CHUNK.subarray(0, 550));
    }
  };
}

function sendAll(socket, beforeEach) {
  let left = TOTAL;
  const more = () => {
    while (left > 0) {
      left -= CHUNK.length;
      beforeEach();
      if (socket.write(CHUNK)) continue;
      if (left > 0) socket.once('drain', more);
      return;
    }
  };
  more();
}

/** Answers with one byte when all has come; `eachChunk` is called for each 64 KiB. */
function counting(socket, eachChunk) {
  let came = 0;
  return ({ length }) => {
    const chunks = Math.floor((came + length) / CHUNK.length) - Math.floor(came / CHUNK.length);
    for (let i = 0; i < chunks; i++) eachChunk();
    came += length;
    if (came < TOTAL) return;
    came = 0;
    socket.write('.');
  };
}

function eachRecord(does) {
  for (let at = 0; at < CHUNK.length; at += RECORD) does(RECORD);
}
