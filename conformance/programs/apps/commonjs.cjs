'use strict';

// A CommonJS program that takes what it needs first, as old libraries do, and is put on ours only then: by
// require(), or by --require before it when REGISTERED says so.

const https = require('node:https');
const http2 = require('node:http2');
const tls = require('node:tls');

const { createServer, get, Agent } = https;
const { connect: connectHttp2, createSecureServer } = http2;
const early = { tlsConnect: tls.connect, TLSSocket: tls.TLSSocket };

if (!process.env.REGISTERED) require('@testudo/tls/register');
const { TLSSocket } = require('@testudo/tls/node');

main();

async function main() {
  const { identity, listen, report, textOf } = await import('../support/program.mjs');
  const { once } = require('node:events');

  const server = createServer(identity(), (request, response) => {
    report('server', request.socket instanceof TLSSocket);
    response.end('hello');
  });
  const port = await listen(server);
  const agent = new Agent({ keepAlive: true });
  const [response] = await once(get({ host: 'localhost', port, agent }), 'response');
  report('client', response.socket instanceof TLSSocket);
  report('get', await textOf(response));
  agent.destroy();
  server.close();

  const h2 = createSecureServer({ ...identity(), allowHTTP1: true }, (request, answer) => {
    answer.end(`${request.httpVersion} ${request.socket.alpnProtocol}`);
  });
  const url = `https://localhost:${await listen(h2)}`;
  const session = connectHttp2(url);
  report('http2', await textOf(session.request({ ':path': '/' }).end()));
  session.close();
  report('fetch', await (await fetch(url)).text());
  h2.close();

  // What is held from before cannot be changed; what is looked up is ours.
  report('held', early.tlsConnect === require('node:tls').connect || early.TLSSocket === TLSSocket);
  report(
    'found',
    require('node:tls').connect === require('@testudo/tls/node').connect &&
      require('node:tls').TLSSocket === TLSSocket,
  );
  setTimeout(() => process.exit(), 50);
}
