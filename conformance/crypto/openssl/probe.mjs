// Says which provider was chosen and why; with the argument `connect` it also makes connections with the Node door. A program of
// its own for each test, on the build, as users have it.

import { once } from 'node:events';
import { cryptoChoice, systemCrypto } from '@testudo/crypto/openssl';

const { provider, whyNotOpenssl } = cryptoChoice();
const versions =
  process.argv[2] === 'connect' ? await connectTwice(JSON.parse(process.env.IDENTITY)) : undefined;
console.log(
  JSON.stringify({ name: provider.name, system: systemCrypto().name, why: whyNotOpenssl, versions }),
);

/** The versions of connections on which data went there and back. */
async function connectTwice({ key, cert, ca }) {
  const { connect, createServer } = await import('@testudo/tls/node');
  const made = [];
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2']) {
    const server = createServer({ key, cert, maxVersion }, (socket) => socket.pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const client = connect({ port, host: '127.0.0.1', ca, servername: 'localhost' });
    await once(client, 'secureConnect');
    made.push(client.getProtocol());
    const sent = Buffer.alloc(100_000, 'there and back ');
    client.end(sent);
    const chunks = [];
    for await (const chunk of client) chunks.push(chunk);
    if (!Buffer.concat(chunks).equals(sent)) throw new Error('what came back is not what was sent');
    server.close();
  }
  return made;
}
