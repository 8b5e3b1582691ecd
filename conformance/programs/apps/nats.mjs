import { connect, StringCodec } from 'nats';
import { report } from '../support/program.mjs';

// The server speaks first, in the clear, and the same socket goes on in TLS.
const connection = await connect({ servers: `localhost:${process.env.PORT}`, tls: {}, reconnect: false });
const codec = StringCodec();
const subscription = connection.subscribe('news');
const first = (async () => {
  for await (const message of subscription) return codec.decode(message.data);
})();
connection.publish('news', codec.encode('x'.repeat(500_000)));
report('news', (await first).length);
report('tls', connection.info.tls_required === true);
await connection.drain();
