import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { ProxyAgent, fetch as undiciFetch } from 'undici';
import { get, identity, listen, report } from '../support/program.mjs';

/** Answers CONNECT, over TCP or over TLS. */
const connected = (request, client, head) => {
  const { hostname, port } = new URL(`http://${request.url}`);
  const upstream = net.connect(Number(port), hostname, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    upstream.write(head);
    upstream.pipe(client).pipe(upstream);
  });
  upstream.on('error', () => client.destroy());
  client.on('error', () => upstream.destroy());
  client.on('close', () => upstream.destroy());
};
const target = https.createServer(identity(), (request, response) =>
  response.end('x'.repeat(Number(request.url.slice(1)))),
);
const url = `https://localhost:${await listen(target)}`;

for (const [scheme, proxy] of [
  ['http', http.createServer()],
  ['https', https.createServer(identity())],
]) {
  let tunnels = 0;
  proxy.on('connect', (...details) => {
    tunnels++;
    connected(...details);
  });
  const through = `${scheme}://localhost:${await listen(proxy)}`;
  const agent = new HttpsProxyAgent(through, { keepAlive: true });
  const lengths = [];
  for (const size of [1, 500_000, 10]) lengths.push((await get(https, `${url}/${size}`, { agent })).length);
  report(`https-proxy-agent over ${scheme}`, { lengths, tunnels });
  agent.destroy();

  // The name that the tunnel leads to is the one that counts.
  const wrong = https.get(`https://127.0.0.1:${new URL(url).port}/1`, {
    agent: new HttpsProxyAgent(through),
    servername: 'other.example',
  });
  const [error] = await once(wrong, 'error');
  report(`wrong name over ${scheme}`, error.code);

  tunnels = 0;
  const dispatcher = new ProxyAgent(through);
  const answer = await undiciFetch(`${url}/300000`, { dispatcher });
  report(`undici over ${scheme}`, { length: (await answer.text()).length, tunnels });
  await dispatcher.close();
  proxy.close();
  proxy.closeAllConnections();
}
target.close();
target.closeAllConnections();
