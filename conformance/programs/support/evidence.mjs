// Preloaded into every program: counts whose TLS it used, and says so on file descriptor 3 when it ends.

import { createHook } from 'node:async_hooks';
import { writeSync } from 'node:fs';
import http2 from '@testudo/tls/http2';
import { TLSSocket } from '@testudo/tls/node';

// It makes one socket of Node's, to find out how node:http2 wraps ours: before the counting.
http2.createSecureServer().close();

let ours = 0;
const { emit } = TLSSocket.prototype;
TLSSocket.prototype.emit = function (event, ...details) {
  if (event === 'secure') ours++;
  return emit.call(this, event, ...details);
};

let nodes = 0;
// Each connection of node:tls has one such handle of OpenSSL.
createHook({
  init(_id, type) {
    if (type === 'TLSWRAP') nodes++;
  },
}).enable();

// The third descriptor of a program that another one forked is their channel.
if (process.send === undefined) process.on('exit', () => writeSync(3, JSON.stringify({ ours, nodes })));
