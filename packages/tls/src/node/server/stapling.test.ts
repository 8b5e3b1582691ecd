import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ca,
  closeAll,
  errorOf,
  listen,
  MATRIX,
  nodes,
  ours,
  serverIdentity,
  track,
} from '../testing/support.ts';

afterEach(closeAll);

type Answer = (error: Error | null, response?: Buffer | null) => void;

/** Not looked into by either side: that is the client's own affair. */
const response = Buffer.from('an OCSP response');

describe.each(MATRIX)('%s, %s', (_name, maxVersion, serverTls, clientTls) => {
  async function serve(answer: (done: Answer) => void): Promise<{ port: number; asked: Buffer[][] }> {
    const asked: Buffer[][] = [];
    // Without a HelloRetryRequest, after which OpenSSL has forgotten the response.
    const server = serverTls.createServer({ ...serverIdentity, maxVersion, ecdhCurve: 'X25519' });
    server.on('OCSPRequest', (certificate: Buffer, issuer: Buffer, done: Answer) => {
      asked.push([certificate, issuer]);
      answer(done);
    });
    return { port: await listen(server), asked };
  }

  test.each([
    ['at once', (done: Answer) => done(null, response), response],
    ['later', (done: Answer) => void setTimeout(done, 20, null, response), response],
    ['with none', (done: Answer) => done(null, null), null],
  ])('who listens to OCSPRequest answers %s, and the client is told', async (_when, answer, expected) => {
    const { port, asked } = await serve(answer);
    const client = track(clientTls.connect({ port, ca, servername: 'localhost', requestOCSP: true }));
    const [got] = (await once(client, 'OCSPResponse')) as [Buffer | null];
    expect(got === null || got.length === 0 ? null : got).toEqual(expected);
    expect(asked).toHaveLength(1);
    expect(asked[0]![0]).toEqual(new X509Certificate(serverIdentity.cert).raw);
  });

  test('an error ends the handshake, and comes out of the server', async () => {
    const server = serverTls.createServer({ ...serverIdentity, maxVersion });
    server.on('OCSPRequest', (_certificate: Buffer, _issuer: Buffer, done: Answer) =>
      done(new Error('responder is down')),
    );
    const failed = once(server, 'tlsClientError');
    const port = await listen(server);
    const client = track(clientTls.connect({ port, ca, servername: 'localhost', requestOCSP: true }));
    expect(await errorOf(client)).toBeInstanceOf(Error);
    expect((await failed)[0]).toMatchObject({ message: 'responder is down' });
  });
});

test('nobody is asked for clients that do not want it', async () => {
  for (const tls of [ours, nodes]) {
    const server = tls.createServer(serverIdentity);
    let asked = 0;
    server.on('OCSPRequest', (_certificate: Buffer, _issuer: Buffer, done: Answer) => {
      asked++;
      done(null, null);
    });
    const port = await listen(server);
    const client = track(nodes.connect({ port, ca, servername: 'localhost' }));
    await once(client, 'secureConnect');
    expect(asked).toBe(0);
  }
});
