import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { SocksProxyAgent } from 'socks-proxy-agent';
import tunnel from 'tunnel';
import { get, identity, listen, report } from '../support/program.mjs';

const target = https.createServer(identity(), (request, response) =>
  response.end(`hello ${request.socket.encrypted}`),
);
const port = await listen(target);

const proxy = http.createServer();
proxy.on('connect', (_request, client, head) => {
  const upstream = net.connect(port, '127.0.0.1', () => {
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    upstream.write(head);
    upstream.pipe(client).pipe(upstream);
  });
  for (const one of [client, upstream]) one.on('error', () => {});
});
const agent = tunnel.httpsOverHttp({ proxy: { host: '127.0.0.1', port: await listen(proxy) } });
report('tunnel', await get(https, `https://localhost:${port}/`, { agent }));

// SOCKS 5 without authentication, to whatever name: RFC 1928.
const socks = net.createServer((client) => {
  client.on('error', () => {});
  client.once('data', () => {
    client.write(Buffer.of(5, 0));
    client.once('data', () => {
      const upstream = net.connect(port, '127.0.0.1', () => {
        client.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.destroy());
    });
  });
});
const through = new SocksProxyAgent(`socks5h://127.0.0.1:${await listen(socks)}`);
report('socks', await get(https, `https://localhost:${port}/`, { agent: through }));
process.exit();
