import { nodeCrypto } from '@testudo/crypto/node';
import { type ClientOptions, clientConfig, type ServerOptions, serverConfig, TicketKeys } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { gnutlsServ } from './support/gnutls.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link, listenLinks } from './support/link.ts';
import { sClient, sServer } from './support/openssl.ts';
import { Program } from './support/program.ts';

// Renegotiation (RFC 5746) with OpenSSL and GnuTLS, begun by either side.

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

withPrograms('openssl')('OpenSSL client', () => {
  test('begins it, twice', async () => {
    const { program, link } = await serve();
    for (const times of [1, 2]) {
      program.write('R\n');
      await link.until(() => link.changes.length === times, 'a renegotiation');
      await echo(program, `after ${times}`);
    }
    expect(link.changes[0]!.finished).not.toEqual(link.changes[1]!.finished);
    expect(link.messages.filter((line) => line === 'received client_hello')).toHaveLength(3);
  });

  test.each([
    [
      'with AES-CBC and encrypt_then_mac',
      ['-cipher', 'ECDHE-ECDSA-AES128-SHA256'],
      ['ECDHE-ECDSA-AES128-SHA256'],
    ],
    ['with ChaCha20', ['-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305'], undefined],
  ] as const)('begins it %s', async (_what, args, cipherSuites) => {
    const { program, link } = await serve(cipherSuites ? { cipherSuites } : {}, ...args);
    program.write('R\n');
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    await echo(program, 'under other keys');
  });

  test('begins it with TLS 1.0', async () => {
    const rsa = identities.server('RSA');
    const { program, link } = await serve(
      {
        legacy,
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1',
        cipherSuites: ['ECDHE-RSA-AES128-SHA'],
        signatureSchemes: ['rsa_pkcs1_sha1'],
        credentials: [rsa.credential],
      },
      ...['-tls1', '-cipher', 'DEFAULT@SECLEVEL=0'],
    );
    program.write('R\n');
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    await echo(program, 'under other keys');
  });

  test('is asked for it', async () => {
    const { program, link } = await serve();
    link.do(() => link.connection.renegotiate());
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    await echo(program, 'under other keys');
  });

  test('is asked for its certificate', async () => {
    const { cert, key, leaf } = identities.client();
    const { program, link } = await serve({}, '-cert', cert, '-key', key, '-cert_chain', cert);
    expect(link.connection.info!.peerCertificates).toEqual([]);
    link.do(() => link.connection.requestClientCertificate({ required: true }));
    await link.until(() => link.changes.length === 1, 'the certificate');
    expect(link.changes[0]!.peerCertificates[0]).toEqual(leaf.der);
    await echo(program, 'it is known now');
    program.write('R\n');
    await link.until(() => link.changes.length === 2, 'a renegotiation');
    expect(link.changes[1]!.peerCertificates[0]).toEqual(leaf.der);
  });

  test('does it too often', async () => {
    const { program, link } = await serve({ renegotiation: { limit: 1 } });
    program.write('R\n');
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    await echo(program, 'once is fine');
    program.write('R\n');
    expect(await link.over).toMatchObject({ code: 'too-many-renegotiations' });
    await program.expect(/handshake failure/);
  });

  test('begins what this server lets nobody begin but itself', async () => {
    const { program, link } = await serve({ renegotiation: { byPeer: false } });
    program.write('R\n');
    await link.until(() => link.alerts.includes('sent no_renegotiation'), 'the refusal');
    await program.expect(/no renegotiation/);
  });
});

withPrograms('openssl')('OpenSSL server', () => {
  test('begins it, twice', async () => {
    const { program, link } = await connect();
    for (const times of [1, 2]) {
      program.write('r\n');
      await link.until(() => link.changes.length === times, 'a renegotiation');
      await both(program, link, `after ${times}`);
    }
  });

  test('asks for a certificate', async () => {
    const { credential } = identities.client();
    const { program, link } = await connect({ credentials: [credential] }, '-CAfile', identities.ca);
    program.write('R\n');
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    expect(link.changes[0]!.localCertificates).toEqual(credential.certificates);
    await both(program, link, 'known now');
    expect(program.output).toContain('CN = somebody');
  });

  test('is asked for it, in full and with the session', async () => {
    const { program, link } = await connect({}, '-client_renegotiation');
    link.do(() => {
      link.connection.renegotiate();
      link.connection.send(Buffer.from('held back\n'));
    });
    await program.expect(/held back\n/);
    expect(link.changes.map(({ resumed }) => resumed)).toEqual([false]);
    await both(program, link, 'in full');
    link.do(() => link.connection.renegotiate({ resume: true }));
    await link.until(() => link.changes.length === 2, 'a renegotiation');
    expect(link.changes.map(({ resumed }) => resumed)).toEqual([false, true]);
    await both(program, link, 'with the session');
  });

  test('does not want to', async () => {
    const { program, link } = await connect();
    link.do(() => link.connection.renegotiate());
    await link.until(() => link.alerts.includes('received no_renegotiation'), 'the refusal');
    await both(program, link, 'goes on');
    expect(link.changes).toEqual([]);
  });
});

withPrograms('gnutls-cli')('GnuTLS client', () => {
  test('begins it', async () => {
    const server = await listenLinks(serverOf({}));
    new Program('gnutls-cli', [
      ...['127.0.0.1', '--port', String(server.port), '--sni-hostname', 'localhost', '--rehandshake'],
      ...['--verify-hostname', 'localhost', '--x509cafile', identities.ca],
      ...['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'],
    ]);
    const link = await server.next();
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    expect(link.connection.info).toMatchObject({ renegotiated: true, secureRenegotiation: true });
  });

  test('is asked for it', async () => {
    const server = await listenLinks(serverOf({}));
    const program = new Program('gnutls-cli', [
      ...['127.0.0.1', '--port', String(server.port), '--sni-hostname', 'localhost'],
      ...['--verify-hostname', 'localhost', '--x509cafile', identities.ca],
      ...['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'],
    ]);
    const link = await server.next();
    program.write('hello\n');
    await link.expect('hello\n');
    link.do(() => link.connection.renegotiate());
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    program.write('under other keys\n');
    await link.expect('under other keys\n');
  });
});

withPrograms('gnutls-serv')('GnuTLS server', () => {
  test('is asked for it', async () => {
    const priority = ['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'];
    const { port } = await gnutlsServ(identity, '--disable-client-cert', ...priority);
    const link = connectLink(port, clientOf({}));
    await link.secure;
    link.send('before\n');
    await link.expect('before\n');
    link.do(() => link.connection.renegotiate());
    await link.until(() => link.changes.length === 1, 'a renegotiation');
    link.send('after\n');
    await link.expect('after\n');
  });
});

/** Our server and `s_client`; a line has gone both ways. */
async function serve(
  options: Partial<ServerOptions> = {},
  ...args: string[]
): Promise<{ program: Program; link: Link }> {
  const server = await listenLinks(serverOf(options));
  const version = args.includes('-tls1') ? [] : ['-tls1_2'];
  const program = sClient(identities, server.port, ...version, ...args);
  program.write('hello\n');
  const link = await server.next();
  await link.secure;
  await program.expect(/Verify return code: 0 \(ok\)|Reused/);
  await program.expect(/hello\n/);
  return { program, link };
}

async function echo(program: Program, text: string): Promise<void> {
  program.write(`${text}\n`);
  await program.expect(new RegExp(`${text}\n`));
}

/** Our client and `s_server`; a line has come to it. */
async function connect(
  options: Partial<ClientOptions> = {},
  ...args: string[]
): Promise<{ program: Program; link: Link }> {
  const { program, port } = await sServer(identity, '-tls1_2', ...args);
  const link = connectLink(port, clientOf(options));
  await link.secure;
  link.send('ready\n');
  await program.expect(/ready\n/);
  return { program, link };
}

async function both(program: Program, link: Link, text: string): Promise<void> {
  link.send(`ours ${text}\n`);
  await program.expect(new RegExp(`ours ${text}\n`));
  program.write(`theirs ${text}\n`);
  await link.expect(`theirs ${text}\n`);
}

function serverOf(options: Partial<ServerOptions>) {
  return serverConfig({
    provider: nodeCrypto,
    credentials: [identity.credential],
    verifyCertificate: identities.verifier(),
    renegotiation: true,
    tickets: new TicketKeys(nodeCrypto),
    ...options,
  });
}

function clientOf(options: Partial<ClientOptions>) {
  return clientConfig({
    provider: nodeCrypto,
    verifyCertificate: identities.verifier(),
    renegotiation: true,
    ...options,
  });
}
