import axios from 'axios';
import { byImport, https } from '../support/modules.mjs';
import { identity, listen, report } from '../support/program.mjs';

const server = https.createServer(identity(), (request, response) => {
  if (request.url === '/moved') response.writeHead(302, { location: '/' }).end();
  else if (request.method === 'GET')
    response.setHeader('content-type', 'application/json').end('{"hello":"world"}');
  else request.pipe(response);
});
const url = `https://localhost:${await listen(server)}`;
const httpsAgent = new https.Agent({ keepAlive: true });
const client = axios.create(byImport ? { httpsAgent } : {});

report('get', (await client.get(url)).data);
report('redirect', (await client.get(`${url}/moved`)).data);
report('post', (await client.post(url, 'x'.repeat(300_000))).data.length);
const refused = await client.get(url.replace('localhost', '127.0.0.1')).catch((error) => error.code);
report('wrong name', refused);
httpsAgent.destroy();
server.closeAllConnections();
server.close();
