// What the programs share: where their certificate lies, and how they say what they saw.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export const identity = () => ({
  key: readFileSync(process.env.TLS_KEY),
  cert: readFileSync(process.env.TLS_CERT),
});

/** Listens on a free port of the loopback; the port. */
export async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** One result, to be compared by the test. */
export function report(name, value) {
  console.log(JSON.stringify({ [name]: value }));
}

export async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A GET with node:https's interface; the answer's text. */
export async function get(https, url, options = {}) {
  const request = https.get(url, options);
  const [response] = await once(request, 'response');
  return textOf(response);
}
