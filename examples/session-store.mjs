// @ts-check
// Two servers that resume each other's sessions, as machines behind one load balancer do.
//
//     node examples/session-store.mjs
//
// TLS 1.3, and 1.2 with tickets, need the same keys on all of them; 1.2 without tickets needs a common store, here a Map and
// in the world perhaps Redis.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto as provider } from '@testudo/crypto/node';
import { createServer } from '@testudo/tls/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';

const authority = createCertificateAuthority({ provider, commonName: 'Example CA' });
const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
const issued = authority.issue({ purpose: 'server', names: ['localhost'], publicKey: key.publicKey });
const identity = { cert: certificateToPem(...issued.certificateChain), key: privateKeyToPem(key) };
const ca = join(mkdtempSync(join(tmpdir(), 'testudo-example-')), 'ca.pem');
writeFileSync(ca, certificateToPem(authority.certificate));

// Whoever has these reads what the tickets protect: they belong where private keys are, and are replaced every few hours.
const ticketKeys = randomBytes(48);
/** @type {Map<string, Buffer>} */
const store = new Map();

for (const name of ['one', 'two']) {
  const server = createServer({ ...identity, ticketKeys, sessionIdContext: 'example' }, (socket) => {
    socket.end(`${name}: ${socket.isSessionReused() ? 'I know you' : 'we have not met'}\n`);
  });
  server.on('newSession', (id, session, done) => {
    store.set(id.toString('hex'), session);
    done();
  });
  server.on('resumeSession', (id, done) => done(null, store.get(id.toString('hex')) ?? null));
  server.listen(0, 'localhost', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    console.log(`openssl s_client -connect localhost:${port} -CAfile ${ca} -quiet    # server ${name}`);
  });
}
