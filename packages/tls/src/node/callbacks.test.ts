import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { SniCallback, TlsOptions } from './index.ts';
import {
  ca,
  clientIdentity,
  closeOf,
  connected,
  errorOf,
  failing,
  issue,
  listen,
  nodes,
  ours,
  serverIdentity,
  stranger,
  type Tls,
  track,
  VERSIONS,
} from './testing/support.ts';
import { nothingUncaught } from './testing/uncaught.ts';

nothingUncaught();

type Call = (error?: unknown, value?: unknown) => void;

describe('who calls back with what is none', () => {
  test.each(['x', 1e12, {}])('from resumeSession fails that handshake only: %s', async (none) => {
    const server = ours.createServer({ ...serverIdentity, maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
    server.on('newSession', (_id: Buffer, _session: Buffer, done: () => void) => done());
    server.on('secureConnection', (socket) => void socket.on('error', () => {}).end('x'));
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost' }));
    await once(client, 'secureConnect');
    const session = client.getSession();
    await closeOf(client.resume().end());
    server.on('resumeSession', (_id: Buffer, done: Call) => done(null, none));
    const failed = once(server, 'tlsClientError');
    const again = track(ours.connect({ port, ca, servername: 'localhost', session }));
    expect(await errorOf(again)).toMatchObject({ code: 'ECONNRESET' });
    expect((await failed)[0]).toBeInstanceOf(Error);
  });

  test.each(['x', 1e12, {}])('from OCSPRequest fails that handshake only: %s', async (none) => {
    const server = ours.createServer(serverIdentity);
    server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, done: Call) => done(null, none));
    const failed = once(server, 'tlsClientError');
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost', requestOCSP: true }));
    expect(await errorOf(client)).toBeInstanceOf(Error);
    expect((await failed)[0]).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

test.each([undefined, null, false, 0, ''])(
  'SNICallback that answers %j leaves the server\u2019s own certificate, as in Node',
  async (answer) => {
    for (const serverTls of [ours, nodes]) {
      const SNICallback: SniCallback = (_name, callback) => callback(null, answer as undefined);
      const { client } = await connected(serverTls, ours, { SNICallback });
      expect(client.authorized).toBe(true);
    }
  },
);

describe('a server without a certificate of its own fails as Node\u2019s', () => {
  const NONE = { key: undefined, cert: undefined };
  const makers: readonly (readonly [string, (tls: Tls) => TlsOptions])[] = [
    ['made before it is there', () => NONE],
    ['a key alone', () => ({ cert: undefined })],
    ['a certificate alone', () => ({ key: undefined })],
    ['a name that nobody knows', () => ({ ...NONE, SNICallback: (_name, done) => done(null) })],
  ];
  const cases = VERSIONS.flatMap((version) => makers.map(([name, make]) => [version, name, make] as const));

  test.each(cases)('%s: %s', async (maxVersion, _name, make) => {
    const outcome = async (tls: Tls) => {
      const { server, client } = await failing(tls, nodes, { ...make(tls), maxVersion }, {});
      return [server?.code, client?.code];
    };
    expect(await outcome(ours)).toEqual(await outcome(nodes));
  });
});

test.each(VERSIONS)(
  '%s: a context without a certificate is passed over, whomever it trusts',
  async (maxVersion) => {
    const others = issue({}, stranger).cert;
    for (const [own, named] of [
      [ca, others],
      [others, ca],
    ]) {
      const outcome = async (tls: Tls) => {
        const SNICallback: SniCallback = (_name, done) => done(null, tls.createSecureContext({ ca: named }));
        const options: TlsOptions = {
          maxVersion,
          SNICallback,
          ca: own,
          requestCert: true,
          rejectUnauthorized: false,
        };
        const { client, accepted } = await connected(tls, nodes, options, clientIdentity);
        return [client.authorized, accepted.authorized, accepted.authorizationError];
      };
      expect(await outcome(ours)).toEqual(await outcome(nodes));
    }
  },
);
