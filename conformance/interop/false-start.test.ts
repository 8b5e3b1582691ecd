import { nodeCrypto } from '@testudo/crypto/node';
import { type ClientConfig, type ClientOptions, clientConfig } from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { gnutlsServ } from './support/gnutls.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link } from './support/link.ts';
import { sServer } from './support/openssl.ts';

// Servers that read on when data comes before they have finished (RFC 7918 §3).

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

function start(port: number, options: Partial<ClientOptions> = {}): Link {
  return connectLink(port, configOf(options), { early: 'early\n' });
}

function configOf(options: Partial<ClientOptions> = {}): ClientConfig {
  return clientConfig({
    provider: nodeCrypto,
    verifyCertificate: identities.verifier(),
    maxVersion: 'TLSv1.2',
    alpnProtocols: ['h'],
    falseStart: true,
    ...options,
  });
}

/** The order of what came and went, from the client's Finished on. */
function lastSteps({ messages }: Link): string[] {
  return messages.slice(messages.indexOf('sent finished'));
}

const FALSE_START = ['sent finished', 'false start', 'received new_session_ticket', 'received finished'];

withPrograms('openssl')('OpenSSL server, False Start', () => {
  test.each(['ECDHE+AESGCM', 'ECDHE+CHACHA20'])('False Start with %s', async (cipher) => {
    const { port } = await sServer(identity, '-rev', '-alpn', 'h', '-cipher', cipher);
    const link = start(port);
    await link.expect('ylrae');
    expect(lastSteps(link)).toEqual(FALSE_START);
    link.send('late\n');
    await link.expect('etal');
    link.close();
    expect(await link.over).toBeUndefined();
  });

  test('False Start: none in a resumption', async () => {
    const { port } = await sServer(identity, '-rev', '-alpn', 'h');
    const first = start(port);
    await first.secure;
    await first.until(() => first.sessions.length > 0, 'a session');
    first.close();
    await first.over;
    const second = connectLink(port, configOf(), { session: first.sessions[0] });
    expect(await second.secure).toMatchObject({ resumed: true });
    expect(second.messages).not.toContain('false start');
  });

  test.each([
    ['CBC', ['-alpn', 'h', '-cipher', 'ECDHE+AES+SHA256']],
    ['RSA key transport', ['-alpn', 'h', '-cipher', 'kRSA+AESGCM']],
    ['a server without ALPN', []],
  ] as const)('False Start: none with %s', async (_what, args) => {
    const rsa = identities.server('RSA');
    const { port } = await sServer(rsa, '-rev', ...args);
    const link = start(port, {
      cipherSuites: ['ECDHE-RSA-AES128-SHA256', 'AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    });
    await link.secure;
    expect(link.messages).not.toContain('false start');
    link.send('late\n');
    await link.expect('etal');
  });
});

withPrograms('gnutls-serv')('GnuTLS server, False Start', () => {
  test('False Start with its first suite', async () => {
    const { port } = await gnutlsServ(identity, '--disable-client-cert', '--alpn', 'h');
    const link = start(port);
    await link.expect('early');
    expect(lastSteps(link).slice(0, 2)).toEqual(FALSE_START.slice(0, 2));
    expect(lastSteps(link).at(-1)).toBe('received finished');
  });
});
