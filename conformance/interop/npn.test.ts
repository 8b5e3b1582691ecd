import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ClientOptions,
  clientConfig,
  type ServerOptions,
  type Session,
  serverConfig,
  TicketKeys,
} from '@testudo/tls';
import { legacy, npnClient, npnServer } from '@testudo/tls/legacy';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link, listenLinks } from './support/link.ts';
import { sClient, sServer } from './support/openssl.ts';

// OpenSSL still knows Next Protocol Negotiation. Its client takes the first of our list that it has, or its own first.

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

const OLD = {
  legacy,
  minVersion: 'TLSv1',
  cipherSuites: ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA'],
  signatureSchemes: ['ecdsa_secp256r1_sha256', 'ecdsa_sha1'],
} as const;

withPrograms('openssl')('OpenSSL server, NPN', () => {
  function start(port: number, options: Partial<ClientOptions> = {}, session?: Session): Link {
    const config = clientConfig({
      provider: nodeCrypto,
      verifyCertificate: identities.verifier(),
      maxVersion: 'TLSv1.2',
      npn: npnClient(['c', 'b']),
      ...options,
    });
    return connectLink(port, config, { session });
  }

  test.each([
    ['NPN: a common protocol', 'a,b', 'b'],
    ['NPN: nothing in common', 'x,y', 'c'],
  ])('%s', async (_what, offered, protocol) => {
    const { program, port } = await sServer(identity, '-nextprotoneg', offered);
    const link = start(port);
    expect(await link.secure).toMatchObject({ npnProtocol: protocol, alpnProtocol: undefined });
    await program.expect(new RegExp(`NEXTPROTO is ${protocol}\n`));
    link.send('hello\n');
    await program.expect(/hello\n/);
    program.write('answer\n');
    await link.expect('answer\n');
  });

  test.each(['TLSv1.1', 'TLSv1'] as const)('NPN in %s', async (maxVersion) => {
    const args = ['-nextprotoneg', 'a,b', '-cipher', 'ALL:@SECLEVEL=0'];
    const { program, port } = await sServer(identity, ...args);
    const link = start(port, { ...OLD, maxVersion });
    expect(await link.secure).toMatchObject({ version: maxVersion, npnProtocol: 'b' });
    await program.expect(/NEXTPROTO is b\n/);
  });

  test('NPN in a resumption, too', async () => {
    const { port } = await sServer(identity, '-nextprotoneg', 'a,b', '-rev');
    const first = start(port);
    await first.secure;
    await first.until(() => first.sessions.length > 0, 'a session');
    first.close();
    await first.over;
    const second = start(port, { npn: npnClient(['a']) }, first.sessions[0]);
    expect(await second.secure).toMatchObject({ resumed: true, npnProtocol: 'a' });
    second.send('hello\n');
    await second.expect('olleh');
  });

  test('NPN: ALPN comes first, and TLS 1.3 has none', async () => {
    const { port } = await sServer(identity, '-nextprotoneg', 'a,b', '-alpn', 'b', '-rev');
    const link = start(port, { alpnProtocols: ['b'] });
    expect(await link.secure).toMatchObject({ alpnProtocol: 'b', npnProtocol: undefined });
    link.close();
    await link.over;
    const newer = start(port, { maxVersion: 'TLSv1.3' });
    expect(await newer.secure).toMatchObject({ version: 'TLSv1.3', npnProtocol: undefined });
  });

  test('False Start after NPN', async () => {
    const { port } = await sServer(identity, '-nextprotoneg', 'a,b', '-rev');
    const link = start(port, { falseStart: true });
    await link.secure;
    expect(link.messages.slice(link.messages.indexOf('sent next_protocol'))).toEqual([
      'sent next_protocol',
      'sent finished',
      'false start',
      'received new_session_ticket',
      'received finished',
    ]);
  });
});

withPrograms('openssl')('OpenSSL client, NPN', () => {
  const listen = (options: Partial<ServerOptions> = {}) =>
    listenLinks(
      serverConfig({
        provider: nodeCrypto,
        credentials: [identity.credential],
        npn: npnServer(['a', 'b']),
        ...options,
      }),
    );

  test.each([
    ['NPN: a common protocol', 'c,b', '(1) b', 'b'],
    ['NPN: nothing in common', 'c', '(2) c', 'c'],
  ])('%s', async (_what, offered, shown, protocol) => {
    const server = await listen();
    const program = sClient(identities, server.port, '-tls1_2', '-nextprotoneg', offered);
    const link = await server.next();
    expect(await link.secure).toMatchObject({ npnProtocol: protocol, alpnProtocol: undefined });
    await program.expect(/Next protocol: .*\n/);
    expect(program.output).toContain(`Next protocol: ${shown}\n`);
    program.write('hello\n');
    await program.expect(/^hello$/m);
  });

  test('NPN in TLSv1', async () => {
    const server = await listen(OLD);
    sClient(identities, server.port, '-tls1', '-cipher', 'ALL:@SECLEVEL=0', '-nextprotoneg', 'b');
    expect(await (await server.next()).secure).toMatchObject({ version: 'TLSv1', npnProtocol: 'b' });
  });

  test('NPN in a resumption, too', async () => {
    const server = await listen({ tickets: new TicketKeys(nodeCrypto) });
    const file = identities.path('npn-session');
    const args = ['-tls1_2', '-nextprotoneg', 'b'];
    const first = sClient(identities, server.port, ...args, '-sess_out', file);
    await (await server.next()).secure;
    await first.expect(/Next protocol: .*\n/);
    first.endInput();
    await first.exit();
    sClient(identities, server.port, ...args, '-sess_in', file);
    expect(await (await server.next()).secure).toMatchObject({ resumed: true, npnProtocol: 'b' });
  });

  test('NPN: ALPN comes first, and TLS 1.3 has none', async () => {
    const server = await listen({ alpnProtocols: ['b'] });
    sClient(identities, server.port, '-tls1_2', '-nextprotoneg', 'b', '-alpn', 'b');
    expect(await (await server.next()).secure).toMatchObject({ alpnProtocol: 'b', npnProtocol: undefined });
    sClient(identities, server.port, '-nextprotoneg', 'b');
    expect(await (await server.next()).secure).toMatchObject({ version: 'TLSv1.3', npnProtocol: undefined });
  });
});
