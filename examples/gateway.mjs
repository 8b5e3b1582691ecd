// @ts-check
// The gateway in front of a web server that knows nothing of TLS.
//
//     node examples/gateway.mjs
//     curl --cacert CA https://localhost:8443/      with the CA that it names when it has begun
//
// Without a program around it: put the configuration into a file, and `npx testudo up --config testudo.yaml`.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from 'testudo';

// The service. It listens on loopback, so that nobody gets past the gateway.
const service = createServer((request, response) => {
  response.end(`${request.headers['x-forwarded-proto']} for ${request.headers['x-forwarded-host']}\n`);
});
await new Promise((resolve) => service.listen(0, '127.0.0.1', () => resolve(undefined)));
const behind = /** @type {import('node:net').AddressInfo} */ (service.address()).port;

const folder = mkdtempSync(join(tmpdir(), 'testudo-example-'));
const config = join(folder, 'testudo.yaml');
writeFileSync(
  config,
  `
data: ${folder}                  # the local CA lives here
logLevel: info

listeners:
  - name: web
    listen: "127.0.0.1:${process.env['PORT'] ?? 8443}"
    certificate: local           # or: certificate: fullchain.pem and key: privkey.pem; or acme
    names: [localhost]
    proxy: http://127.0.0.1:${behind}
    hsts: { maxAge: 1d }
    minVersion: TLSv1.3
    limits:
      connections: 1000
      idle: 30s
`,
);

process.exitCode = await main(['up', '--config', config], {
  program: 'testudo',
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  // SIGHUP reads the configuration again, SIGTERM and SIGINT let open connections finish.
  signals: process,
});
service.close();
