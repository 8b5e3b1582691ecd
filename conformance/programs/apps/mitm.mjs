// Proxies that end TLS themselves, and speak it anew behind them.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { Proxy as MitmProxy } from 'http-mitm-proxy';
import httpProxy from 'http-proxy';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { get, identity, listen, report } from '../support/program.mjs';

const target = https.createServer(identity(), (request, response) => {
  response.end(`${request.method} ${request.headers.added ?? 'nothing'} ${'x'.repeat(100_000)}`);
});
const url = `https://localhost:${await listen(target)}/`;
const shown = (text) => [text.slice(0, 20).trim().split(' x')[0], text.length];

// By hand, as many do: a TLSSocket for the server's side, handed to an HTTP server.
const inner = http.createServer((request, response) => {
  https.get(new URL(request.url, url), { headers: { added: 'by hand' } }, (answer) => answer.pipe(response));
});
const outer = http.createServer().on('connect', (_request, socket) => {
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  const secured = new tls.TLSSocket(socket, {
    isServer: true,
    SNICallback: (_name, done) => done(null, tls.createSecureContext(identity())),
    ...identity(),
  });
  secured.on('error', () => {});
  inner.emit('connection', secured);
});
const byHand = `http://localhost:${await listen(outer)}`;
report('by hand', shown(await get(https, url, { agent: new HttpsProxyAgent(byHand) })));

// A library, with certificates that it makes by itself.
const folder = mkdtempSync(join(tmpdir(), 'mitm-'));
const proxy = new MitmProxy();
proxy.onError((_context, error) => report('mitm error', String(error)));
proxy.onRequest((context, go) => {
  context.proxyToServerRequestOptions.headers.added = 'by a library';
  go();
});
await new Promise((resolve, reject) =>
  proxy.listen({ host: '127.0.0.1', port: 0, sslCaDir: folder }, (error) =>
    error ? reject(error) : resolve(),
  ),
);
const agent = new HttpsProxyAgent(`http://127.0.0.1:${proxy.httpPort}`);
const ca = readFileSync(join(folder, 'certs/ca.pem'));
report('http-mitm-proxy', shown(await get(https, url, { agent, ca })));
rmSync(folder, { recursive: true });

// A reverse proxy.
const reverse = httpProxy.createProxyServer({ target: url, ssl: identity(), secure: true });
reverse.on('proxyReq', (request) => request.setHeader('added', 'in reverse'));
reverse.listen(0, '127.0.0.1');
await once(reverse._server, 'listening');
report('http-proxy', shown(await get(https, `https://localhost:${reverse._server.address().port}/`)));
process.exit();
