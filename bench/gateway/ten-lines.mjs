// What somebody writes who needs no more: the least that a proxy on Node's own modules can cost.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [port, backend, pemFile, limits] = process.argv.slice(2);
const pem = readFileSync(pemFile);
const agent = new http.Agent({ keepAlive: true });
const server = https.createServer({ ...JSON.parse(limits), key: pem, cert: pem }, (request, response) => {
  const { method, url, headers } = request;
  const outgoing = http.request({ port: backend, agent, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  request.pipe(outgoing);
});
// As patient as the others are configured to be.
server.keepAliveTimeout = 600_000;
server.listen(port, '127.0.0.1');
