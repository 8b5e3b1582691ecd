import express from 'express';
import { byImport, https } from '../support/modules.mjs';
import { get, identity, listen, report } from '../support/program.mjs';

const app = express();
app.use(express.json());
app.get('/', (request, response) => {
  response.json({ secure: request.secure, protocol: request.protocol, tls: request.socket.getProtocol() });
});
app.post('/echo', (request, response) => response.status(201).json(request.body));
app.get('/big', (_request, response) => response.send('x'.repeat(2_000_000)));

const server = https.createServer(identity(), app);
const url = `https://localhost:${await listen(server)}`;

report('root', JSON.parse(await get(https, url)));
report('big', (await get(https, `${url}/big`)).length);
if (!byImport) {
  const answer = await fetch(`${url}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ hello: 'world' }),
  });
  report('echo', [answer.status, await answer.json()]);
}
server.closeAllConnections();
server.close();
