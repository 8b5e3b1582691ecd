import { once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';
import { byImport, https, tls } from '../support/modules.mjs';
import { identity, listen, report } from '../support/program.mjs';

const server = https.createServer(identity());
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
const port = await listen(server);

const options = byImport
  ? { createConnection: ({ host, port: at, servername }) => tls.connect({ host, port: at, servername }) }
  : {};
const client = new WebSocket(`wss://localhost:${port}/`, options);
await once(client, 'open');
client.send('hello');
report('text', String((await once(client, 'message'))[0]));
client.send(Buffer.alloc(1_000_000, 7));
report('binary', (await once(client, 'message'))[0].length);
client.ping();
await once(client, 'pong');
const closed = once(client, 'close');
client.close(4000, 'done');
report('close', (await closed)[0]);

if (!byImport && typeof globalThis.WebSocket === 'function') {
  const native = new globalThis.WebSocket(`wss://localhost:${port}/`);
  await new Promise((resolve) => native.addEventListener('open', resolve));
  native.close();
}
sockets.close();
server.close();
