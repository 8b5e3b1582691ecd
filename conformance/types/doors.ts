// A program of a user: what it has of our doors, it hands to code that was written for Node's own modules.

import type nodeHttp2 from 'node:http2';
import type nodeHttps from 'node:https';
import type net from 'node:net';
import type nodeTls from 'node:tls';
import http2, { createSecureServer } from '@testudo/tls/http2';
import https from '@testudo/tls/https';
import tls, { type ConnectionOptions, type TlsOptions } from '@testudo/tls/node';

declare function take<Wanted>(value: Wanted): void;
declare const given: {
  readonly connection: nodeTls.ConnectionOptions;
  readonly server: nodeTls.TlsOptions;
  readonly socket: nodeTls.TLSSocketOptions;
  readonly context: nodeTls.SecureContextOptions;
  readonly request: nodeHttps.RequestOptions;
  readonly https: nodeHttps.ServerOptions;
  readonly http2: nodeHttp2.SecureServerOptions;
  readonly session: nodeHttp2.SecureClientSessionOptions;
  readonly net: net.Socket;
};

take<Omit<typeof nodeTls, 'createSecurePair'>>(tls);
take<typeof nodeHttps>(https);
take<typeof nodeHttp2>(http2);

const socket = tls.connect(given.connection, () => {});
take<nodeTls.TLSSocket>(socket);
take<nodeTls.TLSSocket>(new tls.TLSSocket(given.net, given.socket));
take<net.Socket>(socket);
take<nodeTls.Server>(tls.createServer(given.server, (one) => take<nodeTls.TLSSocket>(one)));
take<nodeTls.Server>(new tls.Server(given.server, (one: nodeTls.TLSSocket) => take(one)));
take<nodeTls.SecureContext>(tls.createSecureContext(given.context));
take<nodeHttps.Server>(https.createServer(given.https, (_request, response) => void response.end()));
take<nodeHttps.Server>(
  https.createServer({ strict: true, SNICallback: (name, done) => done(new Error(name.trim())) }),
);
take<nodeHttp2.Http2SecureServer>(createSecureServer(given.http2));
take<nodeHttp2.Http2SecureServer>(createSecureServer({ strict: true, allowHTTP1: true }));
take<ConnectionOptions>(given.connection);
take<TlsOptions>(given.server);

socket.on('secureConnect', () => {});
socket.once('session', (session) => take<Buffer>(session));
socket.on('keylog', (line) => take<Buffer>(line));
socket.on('OCSPResponse', (response) => take<Buffer>(response));
