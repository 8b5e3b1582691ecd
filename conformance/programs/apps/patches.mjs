// Libraries that change node:tls under everybody's feet.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { get, identity, listen, report } from '../support/program.mjs';

const require = createRequire(import.meta.url);
const tls = require('node:tls');

const server = https.createServer(identity(), (request, response) =>
  response.end(`hello ${request.socket.servername}`),
);
const port = await listen(server);
const url = `https://localhost:${port}/`;
const attempt = (options = {}) => get(https, url, { agent: false, ...options }).catch((error) => error.code);
// Nothing in the environment says so: only who patches can trust it.
const authority = readFileSync(process.env.AUTHORITY, 'utf8');
report('before', await attempt());

// As syswide-cas, win-ca and many companies' own: createSecureContext adds an authority to what it makes.
const folder = mkdtempSync(join(tmpdir(), 'cas-'));
writeFileSync(join(folder, 'ca.pem'), authority);
const original = tls.createSecureContext;
require('syswide-cas').addCAs(folder);
rmSync(folder, { recursive: true });
report('syswide-cas replaces it', tls.createSecureContext !== original);
report('syswide-cas', await attempt());
tls.createSecureContext = original;
report('undone', await attempt());
tls.createSecureContext = (options) => {
  const context = original(options);
  context.context.addCACert(authority);
  return context;
};
report('addCACert', await attempt());
tls.createSecureContext = original;

// As instrumentation does: a wrapper around connect.
const { connect } = tls;
const seen = [];
tls.connect = function (...args) {
  const socket = connect.apply(this, args);
  socket.once('secureConnect', () => seen.push(socket.getProtocol()));
  return socket;
};
report('connect', [await attempt({ ca: authority }), seen]);
tls.connect = connect;

// A check of names for the whole program.
const { checkServerIdentity } = tls;
tls.checkServerIdentity = (name) => Object.assign(new Error('not today'), { code: 'NOT_TODAY', name });
report('checkServerIdentity', await attempt({ ca: authority }));
tls.checkServerIdentity = checkServerIdentity;

// Methods of the class.
const { getPeerCertificate } = tls.TLSSocket.prototype;
tls.TLSSocket.prototype.getPeerCertificate = function (...args) {
  return { ...getPeerCertificate.apply(this, args), patched: true };
};
const patched = await new Promise((resolve, reject) => {
  const socket = tls.connect({ port, host: 'localhost', ca: authority }, () => {
    resolve(socket.getPeerCertificate().patched);
    socket.destroy();
  });
  socket.on('error', reject);
});
report('a method of TLSSocket', patched);
tls.TLSSocket.prototype.getPeerCertificate = getPeerCertificate;

// A class made of ours, and the defaults of the module.
class Mine extends tls.TLSSocket {}
report('extended', [Mine.prototype instanceof tls.TLSSocket, tls.TLSSocket.name, tls.Server.name]);
tls.DEFAULT_MAX_VERSION = 'TLSv1.2';
const version = await new Promise((resolve, reject) => {
  const socket = tls.connect({ port, host: 'localhost', ca: authority }, () => {
    resolve(socket.getProtocol());
    socket.destroy();
  });
  socket.on('error', reject);
});
report('DEFAULT_MAX_VERSION', version);
process.exit();
