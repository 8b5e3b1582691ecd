// One lane of bench/floor.mjs's client, in a process of its own.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import { floorCalls } from './floor-calls.mjs';

const [lane, material, serverName, port] = JSON.parse(process.argv[2]);

const key = createPrivateKey(material.server.key);
const spki = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
const content = new Uint8Array(130);
const signature = sign('sha256', content, { key, dsaEncoding: 'der' });
const { isAsymmetric, generate, agree, hmacs, seal, open } = floorCalls(lane, 1024);
const SENT = Buffer.alloc(250);

const context = createSecureContext({
  ca: material.ca,
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  ecdhCurve: 'X25519',
});

process.on('message', async (count) => {
  const before = process.cpuUsage();
  let left = count;
  const worker = async () => {
    while (left-- > 0) await connectOnce();
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const { user, system } = process.cpuUsage(before);
  process.send({ cpu: user + system });
});
process.on('disconnect', () => process.exit());
process.send('ready');

function connectOnce() {
  return new Promise((resolve, reject) => {
    const socket = lane === 'node:tls' ? securely() : plainly();
    socket.on('error', reject).on('close', resolve);
  });
}

function securely() {
  const options = { port, host: '127.0.0.1', servername: serverName, secureContext: context };
  const socket = connectTls(options, () => {
    socket.setNoDelay(true);
    socket.write('x');
  });
  return socket.on('data', () => socket.end());
}

/** The turns and about the lengths of TLS; of TLS itself nothing but the calls to `node:crypto`. */
function plainly() {
  let own;
  let turn = 0;
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }, () => {
    if (isAsymmetric) own = generate();
    socket.write(SENT);
  });
  socket.on('data', () => {
    turn++;
    if (turn === 1) {
      if (isAsymmetric) agreeAndVerify(own);
      hmacs(25);
      open(800);
      for (const length of [36, 1]) seal(length);
      socket.write(SENT.subarray(0, 102));
    } else if (turn === 2) {
      for (const length of [500, 1]) open(length);
      seal(2);
      socket.end(SENT.subarray(0, 24));
    }
  });
  return socket.on('end', () => open(2));
}

/** The chain was verified before and is known; CertificateVerify is new each time. */
function agreeAndVerify(own) {
  agree(own);
  const publicKey = nodeCrypto.importPublicKey(spki);
  if (!nodeCrypto.verify({ name: 'ecdsa', hash: 'sha256' }, publicKey, content, signature))
    throw new Error('a signature that does not verify');
}
