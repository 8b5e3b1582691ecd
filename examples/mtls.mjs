// @ts-check
// Mutual TLS: a server that knows its clients by their certificates.
//
//     node examples/mtls.mjs

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto as provider } from '@testudo/crypto/node';
import { createServer } from '@testudo/tls/https';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';

const folder = mkdtempSync(join(tmpdir(), 'testudo-example-'));
const authority = createCertificateAuthority({ provider, commonName: 'Example CA' });
writeFileSync(join(folder, 'ca.pem'), certificateToPem(authority.certificate));

/**
 * @param {'server' | 'client'} purpose
 * @param {string} name
 */
function identity(purpose, name) {
  const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
  const { certificateChain } = authority.issue({ purpose, names: [name], publicKey: key.publicKey });
  return { cert: certificateToPem(...certificateChain), key: privateKeyToPem(key) };
}

const alice = identity('client', 'alice.example');
writeFileSync(join(folder, 'alice.pem'), alice.cert);
writeFileSync(join(folder, 'alice.key'), alice.key, { mode: 0o600 });

const server = createServer(
  {
    ...identity('server', 'localhost'),
    // Every client shows a certificate of this CA, or the handshake fails.
    ca: certificateToPem(authority.certificate),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    const socket = /** @type {import('@testudo/tls/node').TLSSocket} */ (request.socket);
    response.end(`Hello, ${socket.getPeerCertificate().subject.CN}.\n`);
  },
);
server.on('tlsClientError', (error) => {
  console.log(`refused: ${/** @type {NodeJS.ErrnoException} */ (error).code}`);
});
server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const known = `--cert ${folder}/alice.pem --key ${folder}/alice.key`;
  console.log('It listens. The first of these is greeted, the second refused:');
  console.log(`curl --cacert ${folder}/ca.pem ${known} https://localhost:${port}/`);
  console.log(`curl --cacert ${folder}/ca.pem https://localhost:${port}/`);
});
