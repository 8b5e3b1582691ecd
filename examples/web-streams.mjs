// @ts-check
// TLS over the streams of the web platform, with cryptography in JavaScript: this runs in a browser or a worker, too, given
// a transport (a WebSocket to a proxy, a TCPSocket). Here the transport is a socket of Node.
//
//     node examples/web-streams.mjs localhost 8443 ca.pem

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { portableCrypto as provider } from '@testudo/crypto/portable';
import { TlsError, verifyWith } from '@testudo/tls';
import { connectTls } from '@testudo/tls/web';
import { parseCertificates, TrustStore } from '@testudo/x509';

const [host = 'localhost', port = '8443', ca = 'ca.pem'] = process.argv.slice(2);
const trust = new TrustStore(parseCertificates(readFileSync(ca, 'utf8')));
const transport = /** @type {import('@testudo/tls/web').Transport} */ (
  Duplex.toWeb(connect(Number(port), host))
);

try {
  const stream = await connectTls(transport, {
    provider,
    host,
    verifyCertificate: verifyWith(provider, () => trust),
  });
  console.log(`${stream.info.version} with ${stream.info.cipherSuite.name}`);

  const writer = stream.writable.getWriter();
  await writer.write(new TextEncoder().encode(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`));
  const reader = stream.readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read())
    process.stdout.write(next.value);
  await stream.close();
} catch (error) {
  if (!(error instanceof TlsError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
