// A registry with one package, for npm; serves until its standard input ends.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { https } from '../support/modules.mjs';
import { identity, listen, report } from '../support/program.mjs';

const tarball = readFileSync(process.env.TARBALL);
const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
const server = https.createServer(identity(), (request, response) => {
  const url = `https://localhost:${server.address().port}`;
  if (request.url.endsWith('.tgz')) response.end(tarball);
  else if (request.url === '/hello-testudo') {
    const dist = { tarball: `${url}/hello-testudo-1.0.0.tgz`, integrity };
    const versions = { '1.0.0': { name: 'hello-testudo', version: '1.0.0', dist } };
    const packument = { name: 'hello-testudo', 'dist-tags': { latest: '1.0.0' }, versions };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(packument));
  } else response.writeHead(404).end('{}');
});
report('port', await listen(server));
process.stdin.on('end', () => process.exit()).resume();
