import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, listen, nodes, ours, serverIdentity, type Tls, track } from './testing/support.ts';
import type { ConnectionOptions, TlsOptions } from './types.ts';

afterEach(closeAll);

/** What makes a handshake fail, at several places of it. */
const FAILURES: Readonly<Record<string, readonly [TlsOptions, ConnectionOptions]>> = {
  'the client takes no such certificate': [{}, {}],
  'no version in common': [{ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
  'no protocol in common': [{ ALPNProtocols: ['h2'] }, { ALPNProtocols: ['other'] }],
  'no certificate of the client': [
    { requestCert: true },
    { rejectUnauthorized: false, maxVersion: 'TLSv1.2' },
  ],
  'SNICallback fails': [{ SNICallback: (_name, done) => done(new Error('nobody of that name')) }, {}],
};

async function nameOnFailure(tls: Tls, failure: string, servername: string | undefined): Promise<unknown> {
  const [server, client] = FAILURES[failure]!;
  const listener = track(tls.createServer({ ...serverIdentity, ...server }));
  const told = once(listener, 'tlsClientError');
  const port = await listen(listener);
  track(nodes.connect({ port, ...client, ...(servername === undefined ? {} : { servername }) })).on(
    'error',
    () => {},
  );
  const [, socket] = (await told) as [Error, { servername: unknown }];
  return socket.servername;
}

describe('the socket of tlsClientError', () => {
  test.each(Object.keys(FAILURES).filter((failure) => failure !== 'no version in common'))(
    'says which name was asked for: %s',
    async (failure) => {
      expect(await nameOnFailure(ours, failure, 'asked.example')).toBe('asked.example');
      expect(await nameOnFailure(nodes, failure, 'asked.example')).toBe('asked.example');
    },
  );

  test('says so, too, where OpenSSL does not come that far', async () => {
    expect(await nameOnFailure(ours, 'no version in common', 'asked.example')).toBe('asked.example');
  });

  test.each(['no protocol in common', 'no version in common'])(
    'names none where none was asked for: %s',
    async (failure) => {
      expect(await nameOnFailure(ours, failure, undefined)).toBeFalsy();
    },
  );
});
