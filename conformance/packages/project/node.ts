// A program for Node: every door for it.

import type { AddressInfo } from 'node:net';
import nodeTls from 'node:tls';
import { nodeCrypto as provider } from '@testudo/crypto/node';
import http2, { createSecureServer } from '@testudo/tls/http2';
import https from '@testudo/tls/https';
import tls, {
  type ConnectionOptions,
  connect,
  createServer,
  type TLSSocket,
  type TlsOptions,
} from '@testudo/tls/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';
import { systemRoots } from '@testudo/x509/node';

const authority = createCertificateAuthority({ provider, commonName: 'CA' });
const issued = authority.issue({ purpose: 'server', names: ['localhost'] });
const identity: TlsOptions = {
  cert: certificateToPem(...issued.certificateChain),
  key: privateKeyToPem(issued.privateKey!),
  // Of ours.
  strict: true,
};
const ca = certificateToPem(authority.certificate);
const host = 'localhost';
const port = (server: { address(): AddressInfo | string | null }): number =>
  (server.address() as AddressInfo).port;

const echo = createServer(identity, (socket: TLSSocket) => socket.pipe(socket));
await new Promise<void>((resolve) => echo.listen(0, host, resolve));
const options: ConnectionOptions = { host, port: port(echo), ca };
let version: string | null = null;
const socket = connect(options, () => {
  version = socket.getProtocol();
});
socket.end('hello');
let text = '';
for await (const chunk of socket) text += String(chunk);
console.log(`tls ${text} ${version} ${socket.authorized}`);
echo.close();

const web = https.createServer(identity, (_request, response) => response.end('page'));
await new Promise<void>((resolve) => web.listen(0, host, resolve));
const page = await new Promise<string>((resolve, reject) => {
  https
    .get({ host, port: port(web), ca, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    })
    .on('error', reject);
});
console.log(`https ${page}`);
web.close();

const streams = createSecureServer(identity, (_request, response) => void response.end('stream'));
await new Promise<void>((resolve) => streams.listen(0, host, resolve));
const session = http2.connect(`https://${host}:${port(streams)}`, { ca });
let got = '';
for await (const chunk of session.request({ ':path': '/' }).setEncoding('utf8')) got += String(chunk);
console.log(`http2 ${got}`);
session.close();
streams.close();

await import('@testudo/tls/register');
console.log(`register ${nodeTls.connect === tls.connect}`);
console.log(`roots ${systemRoots().size > 50}`);
