// Workers that listen at one address: a session that one of them gave is resumed by the others.

import cluster from 'node:cluster';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import tls from 'node:tls';
import { identity, report } from '../support/program.mjs';

const MAKERS = {
  tls: (options) => tls.createServer(options, (socket) => socket.on('error', () => {}).end('x')),
  https: (options) => https.createServer(options, (_request, response) => response.end('x')),
  http2: (options) => http2.createSecureServer(options, (_request, response) => response.end('x')),
};
const PROTOCOLS = { tls: undefined, https: ['http/1.1'], http2: ['h2'] };

if (cluster.isPrimary) {
  cluster.schedulingPolicy = process.env.SCHEDULING === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
  for (const kind of Object.keys(MAKERS)) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) await serve(kind, maxVersion);
  }
} else {
  const { kind, maxVersion } = process.env;
  const server = MAKERS[kind]({ ...identity(), maxVersion });
  server.on('secureConnection', () => process.send({ served: cluster.worker.id }));
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
}

async function serve(kind, maxVersion) {
  const workers = [0, 1, 2].map(() => cluster.fork({ kind, maxVersion }));
  const ports = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0].port));
  const ask = async (session) => {
    const served = new Promise((resolve) => {
      for (const worker of workers) worker.on('message', (message) => resolve(message.served));
    });
    const socket = tls.connect({
      port: ports[0],
      host: 'localhost',
      ALPNProtocols: PROTOCOLS[kind],
      session,
    });
    const given = new Promise((resolve) => socket.once('session', resolve));
    await once(socket, 'secureConnect');
    socket.resume();
    const answer = { id: await served, reused: socket.isSessionReused() };
    if (session === undefined) answer.session = await given;
    socket.destroy();
    return answer;
  };
  const first = await ask();
  // Without the one that gave it, it is certain that another answers.
  const giver = workers.find(({ id }) => id === first.id);
  giver.process.kill('SIGKILL');
  await once(giver, 'exit');
  const next = [await ask(first.session), await ask(first.session), await ask(first.session)];
  report(`${kind} ${maxVersion}`, {
    others: next.every(({ id }) => id !== first.id),
    reused: next.map(({ reused }) => reused),
  });
  for (const worker of workers) worker.process.kill('SIGKILL');
}
