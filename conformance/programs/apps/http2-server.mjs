// Serves until its standard input ends: for programs that come from outside.

import { http2 } from '../support/modules.mjs';
import { identity, listen, report } from '../support/program.mjs';

const server = http2.createSecureServer({ ...identity(), allowHTTP1: true }, (request, response) => {
  response.setHeader('x-version', request.httpVersion);
  response.end(request.url.startsWith('/big') ? 'x'.repeat(100_000) : 'hello');
});
report('port', await listen(server));
process.stdin.on('end', () => process.exit()).resume();
