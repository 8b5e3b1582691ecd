import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  certificateToPem,
  createCertificateAuthority,
  ManagedAuthority,
  MemoryCertificateDatabase,
  privateKeyToPem,
} from '@testudo/x509';
import { ocspHandler } from '@testudo/x509/node';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { connectTls, listenOn, readAll, startGateway, stopAll } from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

const DAY = 86_400_000;
const ECHO = 'certificate: local\necho: true';

/** Whether an echo comes back: with TLS 1.3 a client learns only later that it was refused. */
async function isServed(port: number, options: ConnectionOptions): Promise<boolean> {
  try {
    const socket = await connectTls(port, options);
    socket.end('x');
    return (await readAll(socket)) === 'x';
  } catch {
    return false;
  }
}

/** A session, and whether a connection with it was resumed. */
async function visit(
  port: number,
  options: ConnectionOptions,
): Promise<{ session: Buffer | undefined; isResumed: boolean }> {
  const socket = await connectTls(port, options);
  const isResumed = socket.isSessionReused();
  let session: Buffer | undefined;
  socket.on('session', (one) => {
    session = one;
  });
  socket.end('x');
  await readAll(socket);
  return { session, isResumed };
}

describe('revocation of clients', () => {
  /** A CA of clients, and a gateway that asks for what it says. */
  async function setUp(lines: (online: string) => string, publishes = false) {
    const folder = folderWith();
    const root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'clients' });
    const database = new MemoryCertificateDatabase();
    const managed = new ManagedAuthority(root, database);
    const signer = await managed.ocspSigner();
    const responder = createServer(ocspHandler({ answer: (request) => managed.ocsp(request, { signer }) }));
    const url = `http://127.0.0.1:${await listenOn(responder)}/`;
    const issuer = publishes
      ? new ManagedAuthority(root.withPublication({ ocsp: [url] }), database)
      : managed;
    const issue = async (name: string) => {
      const { certificate, privateKey } = await issuer.issue({ purpose: 'client', commonName: name });
      return {
        serialNumber: certificate.serialNumber,
        cert: certificateToPem(certificate),
        key: privateKeyToPem(privateKey!),
      };
    };
    const writeCrl = async (at = new Date()): Promise<void> => {
      writeFileSync(join(folder, 'clients.crl'), (await managed.crl({ at })).der);
    };
    writeFileSync(join(folder, 'clients.pem'), certificateToPem(root.certificate));
    const [alice, bob] = [await issue('alice'), await issue('bob')];
    await managed.revoke(bob.serialNumber);
    await writeCrl();
    const start = () => startGateway([`${ECHO}\nclientCa: clients.pem\n${lines(url)}`], { folder });
    return { folder, managed, alice, bob, writeCrl, start };
  }

  test('by a list: who stands on it is refused, others are not', async () => {
    const { start, alice, bob } = await setUp(() => 'clientRevocation: { crls: [clients.crl] }');
    const { port, ca, lines } = await start();
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      expect(await isServed(port, { ca, maxVersion, cert: alice.cert, key: alice.key })).toBe(true);
      expect(await isServed(port, { ca, maxVersion, cert: bob.cert, key: bob.key })).toBe(false);
    }
    expect(lines().filter(({ msg }) => msg === 'a client\u2019s certificate was refused')).toHaveLength(2);
  });

  test('a list that is read again counts, also for sessions of before', async () => {
    const { start, managed, alice, writeCrl } = await setUp(
      () => 'clientRevocation: { crls: [clients.crl] }',
    );
    const { port, ca, gateway } = await start();
    const options = { ca, cert: alice.cert, key: alice.key };
    const { session } = await visit(port, options);
    expect(session).toBeDefined();
    expect((await visit(port, { ...options, session })).isResumed).toBe(true);
    await managed.revoke(alice.serialNumber);
    await writeCrl();
    await gateway.reload();
    expect(await isServed(port, { ...options, session })).toBe(false);
  });

  test('a list that cannot be used is no reason to forget the old one', async () => {
    const { start, bob, folder } = await setUp(() => 'clientRevocation: { crls: [clients.crl] }');
    const { port, ca, gateway, lines } = await start();
    writeFileSync(join(folder, 'clients.crl'), '-----BEGIN NOTHING-----');
    await gateway.reload();
    expect(lines().at(-1)).toMatchObject({
      level: 50,
      reason: expect.stringContaining('cannot use the CRL'),
    });
    expect(await isServed(port, { ca, cert: bob.cert, key: bob.key })).toBe(false);
  });

  test.each([
    ['hard-fail', false],
    ['soft-fail', true],
  ])('a list that is too old, %s: alice is served: %s', async (mode, expected) => {
    const { start, alice, bob, writeCrl } = await setUp(
      () => `clientRevocation: { crls: [clients.crl], mode: ${mode} }`,
    );
    await writeCrl(new Date(Date.now() - 30 * DAY));
    const { port, ca } = await start();
    expect(await isServed(port, { ca, cert: alice.cert, key: alice.key })).toBe(expected);
    // What it revoked stays so.
    expect(await isServed(port, { ca, cert: bob.cert, key: bob.key })).toBe(false);
  });

  test('by asking the responder', async () => {
    const { start, alice, bob } = await setUp(() => 'clientRevocation: { online: true }', true);
    const { port, ca } = await start();
    expect(await isServed(port, { ca, cert: alice.cert, key: alice.key })).toBe(true);
    expect(await isServed(port, { ca, cert: bob.cert, key: bob.key })).toBe(false);
  });

  test('files are checked before anything starts', async () => {
    const folder = folderWith({ 'text.crl': 'hello' });
    const { certificate } = createCertificateAuthority({ provider: nodeCrypto, commonName: 'a' });
    writeFileSync(join(folder, 'ca.pem'), certificateToPem(certificate));
    const start = (file: string): Promise<unknown> =>
      startGateway([`name: a\n${ECHO}\nclientCa: ca.pem\nclientRevocation: { crls: [${file}] }`], { folder });
    await expect(start('none.crl')).rejects.toThrow(
      /^a: .*\/none\.crl: cannot read the CRL: there is no such file or directory$/,
    );
    await expect(start('text.crl')).rejects.toThrow(/^a: .*\/text\.crl: cannot use the CRL: not a CRL/);
    await expect(start('ca.pem')).rejects.toThrow(/^a: .*\/ca\.pem: cannot use the CRL: no X509 CRL block/);
  });
});

describe('tickets', () => {
  test('resume sessions, unless they are off', async () => {
    const { ports, ca } = await startGateway([ECHO, `${ECHO}\ntickets: off`]);
    const { session } = await visit(ports[0]!, { ca });
    expect((await visit(ports[0]!, { ca, session })).isResumed).toBe(true);
    expect((await visit(ports[1]!, { ca })).session).toBeUndefined();
    expect((await visit(ports[1]!, { ca, session })).isResumed).toBe(false);
  });

  test('under keys in files resume at everyone who has them, the old ones too', async () => {
    const folder = folderWith({
      'a.key': randomBytes(48),
      'b.key': randomBytes(48),
      'c.key': randomBytes(48),
    });
    const start = (keys: string) => startGateway([`${ECHO}\ntickets: { keys: [${keys}] }`], { folder });
    const one = await start('a.key');
    const both = await start('b.key, a.key');
    const other = await start('c.key');
    const { session } = await visit(one.port, { ca: one.ca });
    expect((await visit(both.port, { ca: one.ca, session })).isResumed).toBe(true);
    expect((await visit(other.port, { ca: one.ca, session })).isResumed).toBe(false);
    // Rotation: the file is replaced, and read again.
    writeFileSync(join(folder, 'a.key'), randomBytes(48));
    await one.gateway.reload();
    expect((await visit(one.port, { ca: one.ca, session })).isResumed).toBe(false);
    expect((await visit(both.port, { ca: one.ca, session })).isResumed).toBe(true);
  });

  test('of a wrong length are refused, and the message says how to make one', async () => {
    const folder = folderWith({ 'a.key': randomBytes(32) });
    await expect(startGateway([`name: a\n${ECHO}\ntickets: { keys: [a.key] }`], { folder })).rejects.toThrow(
      /^a: (.*a\.key): a ticket key has 48 bytes, but this file has 32: make one with: openssl rand -out \1 48$/,
    );
  });

  test('outlive a reload where nobody is on a list', async () => {
    const { port, ca, gateway } = await startGateway([ECHO]);
    const { session } = await visit(port, { ca });
    await gateway.reload();
    expect((await visit(port, { ca, session })).isResumed).toBe(true);
  });
});

describe('strictness', () => {
  test('about names: another one, or none, is refused', async () => {
    const { port, ca } = await startGateway([`${ECHO}\nstrictSni: true`]);
    expect(await isServed(port, { ca, servername: 'localhost' })).toBe(true);
    for (const servername of ['other.test', '']) {
      const connecting = connectTls(port, { ca, servername, rejectUnauthorized: false });
      await expect(connecting).rejects.toThrow(/unrecognized name|alert number 112/i);
    }
  });

  test('about protocols: none is refused, with a session, too', async () => {
    const { port, ca } = await startGateway([`${ECHO}\nalpn: [echo]\nrequireAlpn: true`]);
    const { session } = await visit(port, { ca, ALPNProtocols: ['echo'] });
    await expect(connectTls(port, { ca })).rejects.toThrow(/no application protocol|alert number 120/i);
    await expect(connectTls(port, { ca, ALPNProtocols: ['x'] })).rejects.toThrow();
    expect(await isServed(port, { ca, session })).toBe(false);
  });
});

describe('old versions', () => {
  const old: ConnectionOptions = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL@SECLEVEL=0',
    rejectUnauthorized: false,
  };

  test('are refused', async () => {
    const { port } = await startGateway([ECHO]);
    await expect(connectTls(port, old)).rejects.toThrow(/protocol version|alert number 70/i);
  });

  test('are spoken where that is said twice, and newer ones with who knows them', async () => {
    const { port, ca } = await startGateway([`${ECHO}\nminVersion: 1.0\ndangerouslyAllowLegacy: true`]);
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      const socket = await connectTls(port, { ...old, minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.end('hello');
      expect(await readAll(socket)).toBe('hello');
    }
    const modern = await connectTls(port, { ca });
    expect(modern.getProtocol()).toBe('TLSv1.3');
    const middle = await connectTls(port, { ca, maxVersion: 'TLSv1.2' });
    expect(middle.getCipher().name).toContain('GCM');
    middle.destroy();
    await once(middle, 'close');
  });
});
