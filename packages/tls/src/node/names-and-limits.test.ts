import { once } from 'node:events';
import { get } from 'node:https';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority } from '@testudo/x509';
import { afterEach, describe, expect, test } from 'vitest';
import { Agent } from './https.ts';
import {
  ca,
  clientIdentity,
  closeAll,
  connected,
  issue,
  listen,
  MATRIX,
  nodes,
  ours,
  track,
} from './testing/support.ts';

afterEach(closeAll);

describe('Internationalized names (RFC 6066 §3)', () => {
  const identity = issue({ names: ['xn--bcher-kva.example', '*.xn--strae-oqa.example'] });

  test.each([
    ['b\u00fccher.example', 'xn--bcher-kva.example'],
    ['B\u00dcCHER.example', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['b\u00fccher\u3002example', 'xn--bcher-kva.example'],
    ['b\u00fccher.example.', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['www.stra\u00dfe.example', 'www.xn--strae-oqa.example'],
  ])('%s is sent, and looked for, as %s', async (servername, sent) => {
    const { client, accepted } = await connected(nodes, ours, identity, { servername });
    expect(accepted.servername).toBe(sent);
    expect(client.authorized).toBe(true);
    const strict = await connected(nodes, ours, identity, { servername, strict: true });
    expect(strict.client.authorized).toBe(true);
  });

  test('another one is refused', async () => {
    const server = nodes.createServer(identity);
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'b\u00fccherei.example' }));
    const [error] = await once(client, 'error');
    expect(error.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('a server finds the context of such a name', async () => {
    const server = ours.createServer(issue());
    server.addContext('*.b\u00fccher.example', issue({ names: ['www.xn--bcher-kva.example'] }));
    const port = await listen(server);
    const client = track(nodes.connect({ port, ca, servername: 'www.xn--bcher-kva.example' }));
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
  });

  test('HTTPS to a host with one', async () => {
    const server = nodes.createServer(identity);
    const port = await listen(server);
    const accepted = once(server, 'secureConnection');
    const lookup = (_host: string, _options: object, callback: (...args: unknown[]) => void): void =>
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    const agent = track(new Agent({ ca, lookup } as never));
    get({ host: 'b\u00fccher.example', port, agent } as never).on('error', () => {});
    const [socket] = await accepted;
    track(socket).on('error', () => {});
    expect(socket.servername).toBe('xn--bcher-kva.example');
  });
});

describe('What is more than usual', () => {
  const strangers = Array.from({ length: 40 }, (_, i) =>
    certificateToPem(
      createCertificateAuthority({ provider: nodeCrypto, commonName: `Stranger ${i}` }).certificate,
    ),
  );

  test.each(MATRIX)('%s, %s: certificates in a message', async (_name, maxVersion, serverTls, clientTls) => {
    const identity = issue();
    const own = { ...identity, cert: identity.cert + strangers.join(''), maxVersion };
    const asking = { ...own, requestCert: true, ca };
    const theirs = { ...clientIdentity, cert: clientIdentity.cert + strangers.join('') };
    const { client, accepted } = await connected(serverTls, clientTls, asking, theirs);
    expect(client.authorized).toBe(true);
    expect(accepted.authorized).toBe(true);
  });

  test.each(MATRIX)('%s, %s: 60 KiB of names of CAs', async (_name, maxVersion, serverTls, clientTls) => {
    const asking = { requestCert: true, ca: [ca, ...many(500)], maxVersion };
    const { accepted } = await connected(serverTls, clientTls, asking, clientIdentity);
    expect(accepted.authorized).toBe(true);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'more names of CAs than a request can hold, %s',
    async (maxVersion) => {
      // Node fails such handshakes; without any name the client shows what it has.
      const asking = { requestCert: true, ca: [ca, ...many(700)], maxVersion };
      const { accepted } = await connected(ours, nodes, asking, clientIdentity);
      expect(accepted.authorized).toBe(true);
    },
  );
});

function many(count: number): string[] {
  for (let i = large.length; i < count; i++) {
    const subject = { organization: 'y'.repeat(50) };
    const commonName = `${i} ${'x'.repeat(50)}`;
    const made = createCertificateAuthority({ provider: nodeCrypto, commonName, subject } as never);
    large.push(certificateToPem(made.certificate));
  }
  return large.slice(0, count);
}
const large: string[] = [];
