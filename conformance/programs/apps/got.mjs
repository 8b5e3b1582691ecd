import got from 'got';
import { byImport, http2, https } from '../support/modules.mjs';
import { identity, listen, report } from '../support/program.mjs';

const handler = (request, response) => response.end(JSON.stringify({ version: request.httpVersion }));
const server = https.createServer(identity(), handler);
const url = `https://localhost:${await listen(server)}`;
const agent = byImport ? { agent: { https: new https.Agent() } } : {};
report('get', await got(url, agent).json());
const refused = await got(url.replace('localhost', '127.0.0.1'), { ...agent, retry: { limit: 0 } }).catch(
  (e) => e.code,
);
report('wrong name', refused);
server.closeAllConnections();
server.close();

if (!byImport) {
  const h2 = http2.createSecureServer({ ...identity(), allowHTTP1: true }, handler);
  const at = `https://localhost:${await listen(h2)}`;
  report('http2', await got(at, { http2: true }).json());
  report('fallback', await got(at).json());
  h2.close();
  process.exit();
}
