import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CertificateSources,
  ChallengeBoard,
  DEFAULT_TLS,
  folderWith,
  removeFolders,
  TlsEndpoint,
} from '#app/testing';
import { requireProgram, withPrograms } from '../support/programs.ts';

const suite = withPrograms('openssl');

suite('openssl s_client as the CA that looks for tls-alpn-01', () => {
  const board = new ChallengeBoard();
  const server = createServer();
  const sockets = new Set<Socket>();
  let port = 0;

  beforeAll(async () => {
    const names = ['localhost'];
    const identities = new CertificateSources(folderWith(), undefined).identitiesOf([
      { kind: 'local', names, isDefault: true },
    ]);
    const endpoint = new TlsEndpoint({ ...DEFAULT_TLS, alpn: ['http/1.1'] }, identities, { board });
    server.on('connection', (raw) => {
      sockets.add(raw.on('error', () => undefined));
      endpoint.secure(raw, {}).on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
    board.answerTls('one.test', 'token.thumbprint');
    board.answerTls('192.0.2.7', 'token.thumbprint');
  });
  afterAll(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
    removeFolders();
  });

  const openssl = async (input: string, ...args: string[]): Promise<string> => {
    const running = promisify(execFile)(requireProgram('openssl'), args);
    running.child.stdin!.on('error', () => undefined).end(input);
    // It fails where the handshake does, and has said what it saw.
    return running.then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }) => `${stdout}${stderr}`,
    );
  };
  const connect = (name: string, alpn: string, ...more: string[]): Promise<string> =>
    openssl('', 's_client', '-connect', `127.0.0.1:${port}`, '-servername', name, '-alpn', alpn, ...more);

  test.each(['-tls1_3', '-tls1_2'])(
    '%s: sees the key authorization in a critical extension',
    async (version) => {
      const said = await connect('one.test', 'acme-tls/1', version);
      expect(said).toContain('ALPN protocol: acme-tls/1');
      const text = await openssl(said, 'x509', '-noout', '-text');
      const digest = createHash('sha256').update('token.thumbprint').digest('hex');
      const der = `0420${digest}`.toUpperCase();
      expect(text).toMatch(/DNS:one\.test\n/);
      const asn1 = await openssl(await openssl(said, 'x509'), 'asn1parse');
      expect(asn1).toMatch(
        new RegExp(
          `OBJECT +:(acmeIdentifier|ACME Identifier|1\\.3\\.6\\.1\\.5\\.5\\.7\\.1\\.31)[^\\n]*\\n[^\\n]*BOOLEAN +:255\\n[^\\n]*\\[HEX DUMP\\]:${der}`,
          'i',
        ),
      );
    },
  );

  test('finds an address by its name in the reverse tree (RFC 8738)', async () => {
    const said = await connect('7.2.0.192.in-addr.arpa', 'acme-tls/1');
    expect(await openssl(said, 'x509', '-noout', '-text')).toMatch(/IP Address:192\.0\.2\.7\n/);
  });

  test('gets nothing for a name without an open challenge', async () => {
    const said = await connect('two.test', 'acme-tls/1');
    expect(said).toMatch(/unrecognized name|alert number 112/);
    expect(said).not.toContain('BEGIN CERTIFICATE');
  });

  test('is an ordinary client when it offers another protocol besides', async () => {
    const said = await connect('one.test', 'http/1.1,acme-tls/1');
    expect(said).toContain('ALPN protocol: http/1.1');
    expect(await openssl(said, 'x509', '-noout', '-text')).toContain('DNS:localhost');
  });
});
