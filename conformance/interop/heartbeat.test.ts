import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig, type HeartbeatMode, serverConfig } from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { gnutlsServ } from './support/gnutls.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link, listenLinks } from './support/link.ts';
import { Program } from './support/program.ts';

// GnuTLS is the one program left that still knows RFC 6520. Its server sends a heartbeat when it reads this line.
const ASK = '**HEARTBEAT**\n';

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;

withPrograms('gnutls-serv')('GnuTLS server, heartbeats', () => {
  const serve = (...args: string[]) => gnutlsServ(identity, '--disable-client-cert', '--debug', '5', ...args);
  const meet = async (port: number, maxVersion: (typeof VERSIONS)[number], heartbeat?: HeartbeatMode) => {
    const verifyCertificate = identities.verifier();
    const link = connectLink(
      port,
      clientConfig({ provider: nodeCrypto, verifyCertificate, maxVersion, heartbeat }),
    );
    await link.secure;
    return link;
  };

  test.each(VERSIONS)('%s: it answers ours, and we answer its own', async (version) => {
    const { program, port } = await serve('--heartbeat');
    const link = await meet(port, version, 'answer');
    for (let turn = 0; turn < 3; turn++) await roundTrip(link);
    link.send(ASK);
    await program.expect(OUR_ANSWER);
    link.send('hello\n');
    await link.expect('hello\n');
    await roundTrip(link);
    link.close();
    expect(await link.over).toBeUndefined();
  });

  test.each(VERSIONS)('%s: we only ask, and get no request', async (version) => {
    const { program, port } = await serve('--heartbeat');
    const link = await meet(port, version, 'only-ask');
    await roundTrip(link);
    link.send(ASK);
    await program.expect(/No heartbeat in this session/);
    link.close();
  });

  test.each(VERSIONS)('%s: one that knows none gets none', async (version) => {
    const { port } = await serve();
    const link = await meet(port, version, 'answer');
    expect(() => link.connection.heartbeat(() => {})).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
    link.send('hello\n');
    await link.expect('hello\n');
  });
});

withPrograms('gnutls-cli')('GnuTLS client, heartbeats', () => {
  test.each(VERSIONS)('%s: it answers ours', async (version) => {
    const credentials = [identity.credential];
    const server = await listenLinks(
      serverConfig({ provider: nodeCrypto, credentials, maxVersion: version, heartbeat: 'answer' }),
    );
    const program = new Program('gnutls-cli', [
      ...['--port', String(server.port), '--x509cafile', identities.ca, '--heartbeat'],
      ...['--sni-hostname', 'localhost', '--verify-hostname', 'localhost', '127.0.0.1'],
    ]);
    const link = await server.next();
    await link.secure;
    await program.expect(/Simple Client Mode/);
    program.write('hello\n');
    await link.expect('hello\n');
    for (let turn = 0; turn < 3; turn++) await roundTrip(link);
  });
});

/** GnuTLS takes nothing but the answer while it waits for it. */
const OUR_ANSWER =
  /Preparing Packet HeartBeat\(24\) with length: 303[\s\S]*Decrypted Packet\[\d+\] HeartBeat\(24\) with length: 303/;

function roundTrip(link: Link): Promise<void> {
  return new Promise((resolve) => link.do(() => link.connection.heartbeat(resolve)));
}
