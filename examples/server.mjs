// @ts-check
// An HTTPS server.
//
//     node examples/server.mjs
//
// It begins by making a CA and a certificate for localhost; a server in the world reads its own from files.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto as provider } from '@testudo/crypto/node';
import { createServer } from '@testudo/tls/https';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';

const authority = createCertificateAuthority({ provider, commonName: 'Example CA' });
const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
const issued = authority.issue({ purpose: 'server', names: ['localhost'], publicKey: key.publicKey });
const ca = join(mkdtempSync(join(tmpdir(), 'testudo-example-')), 'ca.pem');
writeFileSync(ca, certificateToPem(authority.certificate));

// From here on it is what it would be with node:https.
const options = { cert: certificateToPem(...issued.certificateChain), key: privateKeyToPem(key) };
const server = createServer(options, (request, response) => {
  const socket = /** @type {import('@testudo/tls/node').TLSSocket} */ (request.socket);
  response.end(`You asked for ${request.url} over ${socket.getProtocol()}.\n`);
});
server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log('It listens. Try:');
  console.log(`curl --cacert ${ca} https://localhost:${port}/hello`);
});
