// @ts-check
// Several names on one address: the certificate is chosen by the name that the client asks for (server name
// indication, RFC 6066 §3).
//
//     node examples/sni.mjs

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto as provider } from '@testudo/crypto/node';
import { createServer } from '@testudo/tls/https';
import { createSecureContext } from '@testudo/tls/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';

const authority = createCertificateAuthority({ provider, commonName: 'Example CA' });
const ca = join(mkdtempSync(join(tmpdir(), 'testudo-example-')), 'ca.pem');
writeFileSync(ca, certificateToPem(authority.certificate));

/** @param {string} name */
function contextFor(name) {
  const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
  const { certificateChain } = authority.issue({
    purpose: 'server',
    names: [name],
    publicKey: key.publicKey,
  });
  return createSecureContext({ cert: certificateToPem(...certificateChain), key: privateKeyToPem(key) });
}

const contexts = new Map(['www.example', 'shop.example'].map((name) => [name, contextFor(name)]));

const server = createServer(
  {
    // It may take its time: to read a file, or to ask a database. Who asks for another name is refused.
    SNICallback: (name, done) => {
      const context = contexts.get(name);
      if (context === undefined) done(new Error(`no certificate for ${name}`));
      else done(null, context);
    },
  },
  (request, response) => {
    const socket = /** @type {import('@testudo/tls/node').TLSSocket} */ (request.socket);
    response.end(`This is ${socket.servername}.\n`);
  },
);
server.on('tlsClientError', (error) => console.log(`refused: ${error.message}`));
server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log('It listens. The last of these is refused:');
  for (const name of [...contexts.keys(), 'other.example'])
    console.log(`curl --cacert ${ca} --connect-to ::localhost:${port} https://${name}/`);
});
