// Small clients, and what they pass on without looking.

import https from 'node:https';
import needle from 'needle';
import fetchOfNode from 'node-fetch';
import superagent from 'superagent';
import { get, identity, listen, report, textOf } from '../support/program.mjs';

const server = https.createServer(identity(), async (request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method: request.method, length: (await textOf(request)).length }));
});
const port = await listen(server);
const url = `https://localhost:${port}/`;
const wrong = `https://127.0.0.1:${port}/`;
const codeOf = (promise) =>
  promise.then(
    () => 'no error',
    (error) => error.code ?? error.cause?.code,
  );

report('needle', (await needle('post', url, 'x'.repeat(1000))).body);
report(
  'needle, keepAlive',
  (await needle('get', url, null, { agent: new https.Agent({ keepAlive: true }) })).body,
);
report('needle, wrong name', await codeOf(needle('get', wrong)));
report('node-fetch', await (await fetchOfNode(url, { method: 'POST', body: 'x'.repeat(300_000) })).json());
report(
  'node-fetch, aborted',
  await fetchOfNode(url, { signal: AbortSignal.abort() }).catch((error) => error.name),
);
report('node-fetch, wrong name', await codeOf(fetchOfNode(wrong)));
report('superagent', (await superagent.put(url).send({ a: 'x'.repeat(100) })).body);
report('superagent, wrong name', await codeOf(superagent.get(wrong)));
report('superagent, unchecked', (await superagent.get(wrong).disableTLSCerts()).body);

// As yarn does: each option is there, whatever the configuration says.
const OPTIONS = [
  ...['ca', 'cert', 'key', 'passphrase', 'pfx', 'crl', 'ciphers', 'minVersion', 'secureProtocol', 'sigalgs'],
  ...['ALPNProtocols', 'session', 'signal', 'lookup', 'localAddress', 'servername'],
  ...['rejectUnauthorized', 'sessionIdContext', 'timeout', 'secureContext', 'dhparam'],
];
const EMPTY = ['', null, false, 0, []];
const nameOf = (error) => error.code ?? error.name;
for (const option of OPTIONS) {
  for (const empty of EMPTY) {
    const agent = new https.Agent({ [option]: empty });
    report(`${option}: ${JSON.stringify(empty)}`, [
      await get(https, url, { agent }).catch(nameOf),
      await get(https, url, { agent: false, [option]: empty }).catch(nameOf),
    ]);
  }
}
for (const empty of EMPTY) {
  const all = { ca: empty, cert: empty, key: empty, passphrase: empty, pfx: empty, crl: empty };
  report(`all: ${JSON.stringify(empty)}`, await get(https, url, { agent: false, ...all }).catch(nameOf));
  report(`needle, ${JSON.stringify(empty)}`, await needle('get', url, all).then(({ body }) => body, nameOf));
}
for (const ca of [[''], ['', 'x'], ['\n# nothing\n']])
  report(`ca: ${JSON.stringify(ca)}`, await get(https, url, { agent: false, ca }).catch(nameOf));
process.exit();
