import { once } from 'node:events';
import fastify from 'fastify';
import { byImport, http2, https } from '../support/modules.mjs';
import { get, identity, report, textOf } from '../support/program.mjs';

const routes = (app) => {
  app.get('/', async (request) => ({ version: request.raw.httpVersion, tls: request.raw.socket.encrypted }));
  app.post('/echo', async (request) => request.body);
  return app;
};

const h1 = routes(
  byImport
    ? fastify({ serverFactory: (handler) => https.createServer(identity(), handler) })
    : fastify({ https: identity() }),
);
const url = await h1.listen({ port: 0, host: '127.0.0.1' });
const { port } = new URL(byImport ? url.replace('http:', 'https:') : url);
report('http1', JSON.parse(await get(https, `https://localhost:${port}/`)));
await h1.close();

if (!byImport) {
  const h2 = routes(fastify({ http2: true, https: { ...identity(), allowHTTP1: true } }));
  await h2.listen({ port: 0, host: '127.0.0.1' });
  const at = `https://localhost:${h2.server.address().port}`;
  report('fallback', JSON.parse(await get(https, at)));
  const session = http2.connect(at);
  const stream = session.request({ ':path': '/echo', ':method': 'POST', 'content-type': 'application/json' });
  stream.end(JSON.stringify({ hello: 'world' }));
  report('http2', JSON.parse(await textOf(stream)));
  session.close();
  await once(session, 'close');
  await h2.close();
}
https.globalAgent.destroy();
