import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { serverConfig, TicketKeys } from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity, type KeyType } from './support/identities.ts';
import { type Link, type LinkServer, listenLinks } from './support/link.ts';
import { sClient } from './support/openssl.ts';
import { Program } from './support/program.ts';

// Channel bindings (RFC 5929, RFC 9266) must be the same at both ends.

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

withPrograms('gnutls-cli')('GnuTLS client', () => {
  const meet = async (version: string, type: KeyType) => {
    const server = await listen(identities.server(type));
    const program = new Program('gnutls-cli', [
      ...['127.0.0.1', '--port', String(server.port), '--sni-hostname', 'localhost', '--verbose'],
      ...['--verify-hostname', 'localhost', '--x509cafile', identities.ca],
      ...['--priority', `NORMAL:-VERS-ALL:+VERS-TLS${version}`],
    ]);
    const link = await server.next();
    await link.secure;
    await program.expect(/Simple Client Mode/);
    const theirs = (name: string) => new RegExp(`- '${name}': ([0-9a-f]+)$`, 'm').exec(program.output)?.[1];
    return { link, theirs };
  };

  test.each([
    ['1.3', 'P-256'],
    ['1.3', 'RSA'],
    ['1.2', 'P-256'],
    ['1.2', 'RSA'],
  ] as const)('TLS %s with a key of type %s', async (version, type) => {
    const { link, theirs } = await meet(version, type);
    for (const name of ['tls-unique', 'tls-server-end-point', 'tls-exporter'] as const) {
      const ours = link.connection.channelBinding(name);
      expect(ours && toHex(ours), name).toBe(theirs(name));
    }
    expect(theirs('tls-unique') === undefined).toBe(version === '1.3');
    expect(theirs('tls-exporter')).toHaveLength(64);
  });
});

withPrograms('python3')('Python', () => {
  /** Connects twice, the second time with the session of the first, and tells tls-unique of both. */
  const script = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.maximum_version = getattr(ssl.TLSVersion, sys.argv[3])
session = None
for _ in range(2):
    raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    tls = context.wrap_socket(raw, server_hostname="localhost", session=session)
    tls.sendall(b"hello")
    tls.recv(5)
    binding = tls.get_channel_binding("tls-unique")
    print("binding", "none" if binding is None else binding.hex(), tls.session_reused, flush=True)
    session = tls.session
    tls.unwrap()
`;

  test('TLS 1.2: tls-unique, of a full handshake and of a resumption', async () => {
    const server = await listen(identity);
    const program = new Program('python3', ['-c', script, String(server.port), identities.ca, 'TLSv1_2']);
    const ours: string[] = [];
    for (const resumed of ['False', 'True']) {
      const link = await server.next();
      await link.expect('hello');
      ours.push(`binding ${unique(link)} ${resumed}`);
    }
    expect(await program.exit()).toBe(0);
    expect(program.output.trim().split('\n')).toEqual(ours);
  });
});

withPrograms('openssl')('OpenSSL client', () => {
  test('TLS 1.3: tls-exporter is its exporter', async () => {
    const server = await listen(identity);
    const args = ['-keymatexport', 'EXPORTER-Channel-Binding', '-keymatexportlen', '32'];
    const program = sClient(identities, server.port, '-tls1_3', ...args);
    const link = await server.next();
    await link.secure;
    const [, theirs] = await program.expect(/Keying material: ([0-9A-F]{64})/);
    expect(toHex(link.connection.channelBinding('tls-exporter')!)).toBe(theirs!.toLowerCase());
  });
});

function unique(link: Link): string {
  return toHex(link.connection.channelBinding('tls-unique')!);
}

function listen({ credential }: Identity): Promise<LinkServer> {
  const tickets = new TicketKeys(nodeCrypto);
  return listenLinks(serverConfig({ provider: nodeCrypto, credentials: [credential], tickets }));
}
