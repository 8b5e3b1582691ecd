// @ts-check
// A client: connects, says what was agreed on and who is there, and asks for a page.
//
//     node examples/client.mjs example.com:443
//     node examples/client.mjs localhost:8443 ca.pem        trusts this CA, and not those of the system

import { readFileSync } from 'node:fs';
import { connect } from '@testudo/tls/node';

const [target = 'example.com:443', ca] = process.argv.slice(2);
const [host = '', port = '443'] = target.split(':');

const socket = connect({
  host,
  port: Number(port),
  servername: host,
  ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
  // Ours beyond node:tls: the engine's own rules for certificates, and an end without close_notify is an error.
  strict: true,
});

socket.on('secureConnect', () => {
  const { subject, issuer, valid_to } = socket.getPeerCertificate();
  console.log(`${socket.getProtocol()} with ${socket.getCipher().name}`);
  console.log(`This is ${subject.CN ?? host}, says ${issuer.CN ?? issuer.O}, until ${valid_to}.\n`);
  socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
  socket.pipe(process.stdout);
});

// Whoever is not trusted, or is somebody else, gets no request: it fails before.
socket.on('error', (error) => {
  console.error(`${/** @type {NodeJS.ErrnoException} */ (error).code}: ${error.message}`);
  process.exitCode = 1;
});
