import { nodeCrypto } from '@testudo/crypto/node';
import { type ClientOptions, clientConfig, type ServerOptions, serverConfig, TicketKeys } from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link, listenLinks } from './support/link.ts';
import { sClient, sServer } from './support/openssl.ts';
import { Program } from './support/program.ts';

// Post-handshake client authentication of TLS 1.3 (RFC 9846 §4.7.2).

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
let somebody: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
  somebody = identities.client();
});

withPrograms('openssl')('OpenSSL client', () => {
  const meet = async (options: Partial<ServerOptions>, ...args: string[]) => {
    const server = await listen(options);
    const program = sClient(identities, server.port, '-tls1_3', ...args);
    program.write('hello\n');
    const link = await server.next();
    await link.secure;
    await program.expect(/hello\n/);
    return { program, link };
  };
  const own = () => [
    '-enable_pha',
    '-cert',
    somebody.cert,
    '-key',
    somebody.key,
    '-cert_chain',
    somebody.cert,
  ];

  test('is asked, again and again, and under other keys', async () => {
    const { program, link } = await meet({}, ...own());
    for (const times of [1, 2, 3]) {
      link.do(() => link.connection.requestClientCertificate({ required: true }));
      await link.until(() => link.changes.length === times, 'the certificate');
      expect(link.changes.at(-1)!.peerCertificates[0]).toEqual(somebody.leaf.der);
      link.do(() => link.connection.updateKeys());
      await echo(program, `after ${times}`);
    }
  });

  test('is asked twice at once', async () => {
    const { program, link } = await meet({}, ...own());
    link.do(() => {
      link.connection.requestClientCertificate();
      link.connection.requestClientCertificate();
    });
    await link.until(() => link.changes.length === 2, 'both answers');
    await echo(program, 'after both');
  });

  test('has resumed a session', async () => {
    const tickets = new TicketKeys(nodeCrypto);
    const file = identities.path('session');
    const first = await meet({ tickets }, '-sess_out', file);
    await echo(first.program, 'one line');
    first.program.endInput();
    await first.program.exit();
    const { link } = await meet({ tickets }, '-sess_in', file, ...own());
    expect(link.connection.info!.resumed).toBe(true);
    link.do(() => link.connection.requestClientCertificate());
    await link.until(() => link.changes.length === 1, 'the certificate');
    expect(link.changes[0]!.peerCertificates[0]).toEqual(somebody.leaf.der);
  });

  test('has none, and may go on or not', async () => {
    const { program, link } = await meet({}, '-enable_pha');
    link.do(() => link.connection.requestClientCertificate());
    await link.until(() => link.changes.length === 1, 'the answer');
    expect(link.changes[0]!.peerCertificates).toEqual([]);
    await echo(program, 'goes on');
    link.do(() => link.connection.requestClientCertificate({ required: true }));
    expect(await link.over).toMatchObject({ code: 'certificate-required' });
    await program.expect(/certificate required/);
  });

  test('did not offer it', async () => {
    const { link } = await meet({});
    expect(() => link.connection.requestClientCertificate()).toThrow(/does not take part/);
  });
});

withPrograms('openssl')('OpenSSL server', () => {
  const meet = async (options: Partial<ClientOptions>, ...args: string[]) => {
    const { program, port } = await sServer(identity, '-tls1_3', '-CAfile', identities.ca, ...args);
    const config = clientConfig({
      provider: nodeCrypto,
      verifyCertificate: identities.verifier(),
      postHandshakeAuth: true,
      ...options,
    });
    const link = connectLink(port, config);
    await link.secure;
    link.send('ready\n');
    await program.expect(/ready\n/);
    return { program, link };
  };

  test('asks, again and again, and under other keys', async () => {
    const { program, link } = await meet({ credentials: [somebody.credential] });
    for (const times of [1, 2]) {
      program.write('c\n');
      await link.until(() => link.changes.length === times, 'a request');
      link.do(() => link.connection.updateKeys());
      await both(program, link, `after ${times}`);
    }
    expect(link.changes[0]!.localCertificates).toEqual(somebody.credential.certificates);
    expect(program.output).toContain('CN = somebody');
  });

  test('asks who has nothing to show', async () => {
    const { program, link } = await meet({});
    program.write('c\n');
    await link.until(() => link.changes.length === 1, 'a request');
    await both(program, link, 'goes on');
    expect(link.changes[0]!.localCertificates).toEqual([]);
  });

  test('cannot ask who did not offer it', async () => {
    const { program, link } = await meet({ postHandshakeAuth: false });
    program.write('c\n');
    await program.expect(/extension not received/);
    await both(program, link, 'goes on');
  });
});

withPrograms('gnutls-cli')('GnuTLS client', () => {
  test('is asked', async () => {
    const server = await listen({});
    const program = new Program('gnutls-cli', [
      ...['127.0.0.1', '--port', String(server.port), '--sni-hostname', 'localhost'],
      ...['--verify-hostname', 'localhost', '--x509cafile', identities.ca, '--post-handshake-auth'],
      ...['--x509certfile', somebody.cert, '--x509keyfile', somebody.key],
      ...['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3'],
    ]);
    const link = await server.next();
    await link.secure;
    program.write('hello\n');
    await link.expect('hello\n');
    for (const times of [1, 2]) {
      link.do(() => link.connection.requestClientCertificate({ required: true }));
      await link.until(() => link.changes.length === times, 'the certificate');
      expect(link.changes.at(-1)!.peerCertificates[0]).toEqual(somebody.leaf.der);
      program.write(`after ${times}\n`);
      await link.expect(`after ${times}\n`);
    }
  });
});

function listen(options: Partial<ServerOptions>) {
  const config = serverConfig({
    provider: nodeCrypto,
    credentials: [identity.credential],
    verifyCertificate: identities.verifier(),
    ...options,
  });
  return listenLinks(config);
}

async function echo(program: Program, text: string): Promise<void> {
  program.write(`${text}\n`);
  await program.expect(new RegExp(`${text}\n`));
}

async function both(program: Program, link: Link, text: string): Promise<void> {
  link.send(`ours ${text}\n`);
  await program.expect(new RegExp(`ours ${text}\n`));
  program.write(`theirs ${text}\n`);
  await link.expect(`theirs ${text}\n`);
}
