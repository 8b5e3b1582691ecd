import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import {
  type ClientOptions,
  clientConfig,
  credential,
  type ServerOptions,
  type Session,
  serverConfig,
  TicketKeys,
} from '@testudo/tls';
import { parsePrivateKey } from '@testudo/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity, KEY_TYPES } from './support/identities.ts';
import { connectLink, type Link, type LinkServer, listenLinks } from './support/link.ts';

// node:tls, with both of our crypto providers at the other end.

cleanUpAfterTests();

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const only = (version: (typeof VERSIONS)[number]) => ({ minVersion: version, maxVersion: version });

let identities: Identities;
let identity: Identity;
let ca: Buffer;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
  ca = readFileSync(identities.ca);
});

const files = ({ cert, key }: Identity) => ({ cert: readFileSync(cert), key: readFileSync(key) });

describe('node:tls server', () => {
  for (const provider of [nodeCrypto, portableCrypto]) {
    test.each(VERSIONS)(`%s: every key type, with the ${provider.name} provider`, async (version) => {
      for (const type of KEY_TYPES) {
        const { port } = await serve({ ...files(identities.server(type)), ...only(version) });
        const { link } = await meet(port, { provider, verifyCertificate: identities.verifier(provider) });
        expect((await link.secure).version, type).toBe(version);
      }
    });
  }

  test.each(VERSIONS)('%s: resumption by ticket', async (version) => {
    const { port, sockets } = await serve(only(version));
    const { link } = await meet(port);
    const { link: again } = await meet(port, {}, link.sessions[0]);
    expect((await again.secure).resumed).toBe(true);
    expect(sockets.map((socket) => socket.isSessionReused())).toEqual([false, true]);
  });

  test.each(VERSIONS)('%s: client certificate', async (version) => {
    const { port, sockets } = await serve({ ...only(version), requestCert: true, ca });
    const { credential } = identities.client('Ed448', 'a client of node');
    await meet(port, { credentials: [credential] });
    expect(sockets[0]!.getPeerCertificate().subject.CN).toBe('a client of node');
    expect(sockets[0]!.authorized).toBe(true);
    const none = connectLink(port, config()).over;
    expect((await none)?.code).toMatch(/^(alert-received|truncated)$/);
  });

  test.each(VERSIONS)('%s: ALPN', async (version) => {
    const { port } = await serve({ ...only(version), ALPNProtocols: ['h2', 'x'] });
    const { link } = await meet(port, { alpnProtocols: ['x', 'y'] });
    expect((await link.secure).alpnProtocol).toBe('x');
  });

  test.each(VERSIONS)('%s: exporter', async (version) => {
    const { port, sockets } = await serve(only(version));
    const { link } = await meet(port);
    for (const context of [Buffer.from('context'), undefined]) {
      const theirs = sockets[0]!.exportKeyingMaterial(40, 'EXPORTER-x', context!);
      expect(toHex(link.connection.exportKeyingMaterial(40, 'EXPORTER-x', context))).toBe(toHex(theirs));
    }
  });

  test.each(VERSIONS)('%s: key log', async (version) => {
    const lines: string[] = [];
    const { port } = await serve(only(version), (line) => lines.push(line.trim()));
    const { link } = await meet(port);
    expect(lines.sort()).toEqual([...link.secrets].sort());
  });

  test('TLSv1.3: HelloRetryRequest', async () => {
    const { port } = await serve({ ecdhCurve: 'P-521' });
    const { link } = await meet(port, { groups: ['x25519', 'secp521r1'] });
    expect(await link.secure).toMatchObject({ helloRetryRequest: true, group: { name: 'secp521r1' } });
  });

  test('TLSv1.3: KeyUpdate', async () => {
    const { port } = await serve(only('TLSv1.3'));
    const { link } = await meet(port);
    link.do(() => link.connection.updateKeys());
    link.send('again\n');
    await link.expect('again\n');
    expect(link.keys).toContain('received application 1');
  });
});

describe('node:tls client', () => {
  for (const provider of [nodeCrypto, portableCrypto]) {
    test.each(VERSIONS)(`%s: every key type, with the ${provider.name} provider`, async (version) => {
      for (const type of KEY_TYPES) {
        // The portable provider signs with no RSA key.
        if (provider === portableCrypto && type.startsWith('RSA')) continue;
        const { key, credential: own } = identities.server(type);
        const privateKey = parsePrivateKey(readFileSync(key), provider);
        const credentials = [credential(provider, own.certificates, privateKey)];
        const { socket } = await greet(await listen({ provider, credentials }), only(version));
        expect([socket.getProtocol(), socket.authorized], type).toEqual([version, true]);
      }
    });
  }

  test.each(VERSIONS)('%s: resumption by ticket', async (version) => {
    const server = await listen({ tickets: new TicketKeys(nodeCrypto) });
    const { sessions } = await greet(server, only(version));
    const { socket, link } = await greet(server, { ...only(version), session: sessions[0]! });
    expect([socket.isSessionReused(), (await link.secure).resumed]).toEqual([true, true]);
  });

  test.each(VERSIONS)('%s: client certificate', async (version) => {
    const server = await listen({ clientCertificate: 'require', verifyCertificate: identities.verifier() });
    const client = identities.client('RSA-PSS');
    const { link } = await greet(server, { ...only(version), ...files(client) });
    expect(toHex((await link.secure).peerCertificates[0]!)).toBe(toHex(client.leaf.der));
  });

  test.each(VERSIONS)('%s: ALPN', async (version) => {
    const server = await listen({ alpnProtocols: ['h2', 'x'] });
    const { socket } = await greet(server, { ...only(version), ALPNProtocols: ['x', 'y'] });
    expect(socket.alpnProtocol).toBe('x');
  });

  test.each(VERSIONS)('%s: exporter', async (version) => {
    const { socket, link } = await greet(await listen(), only(version));
    const theirs = socket.exportKeyingMaterial(40, 'EXPORTER-x', Buffer.alloc(0));
    expect(toHex(link.connection.exportKeyingMaterial(40, 'EXPORTER-x', new Uint8Array(0)))).toBe(
      toHex(theirs),
    );
  });

  test.each(VERSIONS)('%s: the last Finished of both sides', async (version) => {
    const { socket, link } = await greet(await listen(), only(version));
    const { sent, received } = (await link.secure).finished;
    expect([toHex(socket.getFinished()!), toHex(socket.getPeerFinished()!)]).toEqual([
      toHex(received),
      toHex(sent),
    ]);
  });

  test('TLSv1.3: HelloRetryRequest', async () => {
    const { link } = await greet(await listen({ groups: ['secp384r1'] }), { ecdhCurve: 'P-256:P-384' });
    expect(await link.secure).toMatchObject({ helloRetryRequest: true, group: { name: 'secp384r1' } });
  });

  test('TLSv1.3: KeyUpdate', async () => {
    const { socket, link } = await greet(await listen(), only('TLSv1.3'));
    link.do(() => link.connection.updateKeys());
    socket.write('again\n');
    await link.expect('again\n');
    await once(socket, 'data');
    socket.write('and more\n');
    await link.expect('and more\n');
    expect(link.keys).toContain('received application 1');
  });

  test('it refuses certificates: unknown CA, another name', async () => {
    const server = await listen();
    await expect(greet(server, { ca: readFileSync(new Identities('Stranger').ca) })).rejects.toThrow(
      /unable to (get local issuer|verify)|self.signed/,
    );
    await expect(greet(server, { servername: 'example.org' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

async function serve(options: TlsOptions, onKeys?: (line: string) => void) {
  const sockets: TLSSocket[] = [];
  const server = createServer({ ...files(identity), ...options }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  if (onKeys !== undefined) server.on('keylog', (line: Buffer) => onKeys(String(line)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

function config(options: Partial<ClientOptions> = {}) {
  return clientConfig({ provider: nodeCrypto, verifyCertificate: identities.verifier(), ...options });
}

async function meet(
  port: number,
  options: Partial<ClientOptions> = {},
  session?: Session,
): Promise<{ link: Link }> {
  const link = connectLink(port, config(options), { session });
  await link.secure;
  link.send('hello\n');
  await link.expect('hello\n');
  return { link };
}

function listen(options: Partial<ServerOptions> = {}): Promise<LinkServer> {
  return listenLinks(serverConfig({ provider: nodeCrypto, credentials: [identity.credential], ...options }));
}

async function greet(server: LinkServer, options: object) {
  const socket = connect({ port: server.port, host: '127.0.0.1', servername: 'localhost', ca, ...options });
  cleanUp(() => socket.destroy());
  const sessions: Buffer[] = [];
  socket.on('session', (session) => void sessions.push(session));
  const link = await server.next();
  await once(socket, 'secureConnect');
  socket.write('hello\n');
  await once(socket, 'data');
  return { socket, link, sessions };
}
