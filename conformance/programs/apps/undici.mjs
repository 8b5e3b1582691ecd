import { Agent, fetch, request } from 'undici';
import { byImport, http2, https, tls } from '../support/modules.mjs';
import { identity, listen, report } from '../support/program.mjs';

const connect = byImport
  ? ({ hostname, port }, callback) => {
      const socket = tls.connect({ host: hostname, port: Number(port), ALPNProtocols: ['http/1.1'] });
      socket
        .once('secureConnect', () => callback(null, socket))
        .once('error', (error) => callback(error, null));
    }
  : {};

const server = https.createServer(identity(), (asked, response) => {
  asked.pipe(response);
});
const url = `https://localhost:${await listen(server)}`;
const dispatcher = new Agent({ connect });
const body = 'x'.repeat(500_000);
const answer = await fetch(url, { method: 'POST', body, dispatcher });
report('fetch', (await answer.text()) === body);
const requested = await request(url, { method: 'POST', body: 'hello', dispatcher });
report('request', await requested.body.text());
await dispatcher.close();
server.close();

if (!byImport) {
  const h2 = http2.createSecureServer(identity(), (asked, response) => response.end(asked.httpVersion));
  const two = new Agent({ allowH2: true });
  const answered = await fetch(`https://localhost:${await listen(h2)}`, { dispatcher: two });
  report('http2', await answered.text());
  await two.close();
  h2.close();
}
