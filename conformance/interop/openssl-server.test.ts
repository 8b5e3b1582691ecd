import { readFileSync } from 'node:fs';
import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { type ClientOptions, clientConfig, type Session, type VersionName } from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity, KEY_TYPES } from './support/identities.ts';
import { connectLink, type Link } from './support/link.ts';
import { sServer } from './support/openssl.ts';
import type { Program } from './support/program.ts';

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const only = (version: VersionName) => ({ minVersion: version, maxVersion: version });

withPrograms('openssl')('OpenSSL server', () => {
  test('TLSv1.3: HelloRetryRequest', async () => {
    const { port } = await sServer(identity, '-rev', '-groups', 'P-384');
    const { link } = await meet(port, { groups: ['x25519', 'secp384r1'] });
    expect(await link.secure).toMatchObject({ helloRetryRequest: true, group: { name: 'secp384r1' } });
  });

  test('TLSv1.3: KeyUpdate', async () => {
    const { program, port } = await sServer(identity);
    const link = connectLink(port, config());
    await link.secure;
    // It takes commands only when it has our Finished.
    link.send('ready\n');
    await program.expect(/ready\n/);
    program.write('K\n');
    await link.until(() => link.keys.includes('received application 1'), 'a KeyUpdate');
    await both(program, link, 'after theirs');
    expect(link.keys).toContain('sent application 1');
    link.do(() => link.connection.updateKeys());
    await both(program, link, 'while ours is on its way');
    await both(program, link, 'after ours');
    expect(link.keys.slice(-2)).toEqual(['sent application 2', 'received application 2']);
    program.write('k\n');
    // What it reads together with the command is lost.
    await link.until(() => link.keys.includes('received application 3'), 'another KeyUpdate');
    await both(program, link, 'and one more');
    expect(link.keys.slice(-1)).toEqual(['received application 3']);
  });

  test.each([
    ['TLSv1.3', 'ticket', []],
    ['TLSv1.2', 'ticket', []],
    ['TLSv1.2', 'session ID', ['-no_ticket']],
  ] as const)('%s: resumption by %s', async (version, _by, args) => {
    const { port } = await sServer(identity, '-rev', ...args);
    const { link: first } = await meet(port, only(version));
    await first.until(() => first.sessions.length > 0, 'a session');
    first.close();
    await first.over;
    const session = first.sessions[0]!;
    const { link: second } = await meet(port, only(version), session);
    expect(await second.secure).toMatchObject({ resumed: true, version });
    second.close();
    await second.over;
    // A server that does not know it goes on in full.
    const { port: other } = await sServer(identity, '-rev', ...args);
    const { link: third } = await meet(other, only(version), session);
    expect(await third.secure).toMatchObject({ resumed: false, version });
  });

  test('TLSv1.3: as many tickets as the server likes', async () => {
    const { port } = await sServer(identity, '-rev', '-num_tickets', '7');
    const { link } = await meet(port);
    expect(link.sessions).toHaveLength(7);
  });

  test.each(VERSIONS)('%s: client certificate', async (version) => {
    const { program, port } = await sServer(
      identity,
      ...['-Verify', '3', '-verify_return_error', '-CAfile', identities.ca],
    );
    for (const type of KEY_TYPES) {
      const client = identities.client(type, `client of type ${type}`);
      const { link } = await meet(
        port,
        { ...only(version), credentials: [client.credential] },
        undefined,
        program,
      );
      expect((await link.secure).clientSignatureScheme, type).toBeDefined();
      await program.expect(new RegExp(`subject=CN ?= ?client of type ${type}\n`));
      link.close();
      await link.over;
      // TLS 1.3 brings tickets with the first data, 1.2 within the handshake.
      const again = await meet(port, only(version), link.sessions[0], program);
      expect((await again.link.secure).resumed, type).toBe(true);
      again.link.close();
      await again.link.over;
    }
  });

  test.each(VERSIONS)('%s: client certificate requested, none given', async (version) => {
    const { port } = await sServer(identity, '-rev', '-verify', '3');
    const { link } = await meet(port, only(version));
    expect((await link.secure).localCertificates).toEqual([]);
  });

  test.each(VERSIONS)('%s: ALPN', async (version) => {
    const { port } = await sServer(identity, '-rev', '-alpn', 'http/1.1,h2');
    const { link } = await meet(port, { ...only(version), alpnProtocols: ['x', 'h2', 'http/1.1'] });
    expect((await link.secure).alpnProtocol).toBe('http/1.1');
    link.close();
    await link.over;
    const { link: without } = await meet(port, only(version));
    expect((await without.secure).alpnProtocol).toBeUndefined();
  });

  test.each(VERSIONS)('%s: SNI chooses the certificate', async (version) => {
    const other = identities.server('P-256', { names: ['other.example'] });
    const args = ['-servername', 'other.example', '-cert2', other.cert, '-key2', other.key];
    const { port } = await sServer(identity, '-rev', ...args);
    const link = connectLink(
      port,
      config({ ...only(version), verifyCertificate: () => ({ accepted: true }) }),
      {
        host: 'other.example',
      },
    );
    expect(toHex((await link.secure).peerCertificates[0]!)).toBe(toHex(other.leaf.der));
    link.close();
    await link.over;
    // An address is no name for SNI, and is found in the certificate all the same.
    const nameless = connectLink(port, config(only(version)), { host: '127.0.0.1' });
    expect((await nameless.secure).serverName).toBeUndefined();
  });

  test.each(VERSIONS)('%s: the certificate that the client can verify', async (version) => {
    const rsa = identities.server('RSA');
    const { port } = await sServer(
      identity,
      ...['-rev', '-dcert', rsa.cert, '-dkey', rsa.key, '-dcert_chain', rsa.cert],
    );
    const schemes = ['rsa_pss_rsae_sha256', 'ecdsa_secp256r1_sha256'];
    for (const signatureSchemes of [schemes, [...schemes].reverse()]) {
      const suites = [
        'TLS_AES_128_GCM_SHA256',
        ...(signatureSchemes[0] === schemes[0]
          ? ['ECDHE-RSA-AES128-GCM-SHA256']
          : ['ECDHE-ECDSA-AES128-GCM-SHA256']),
      ];
      const { link } = await meet(port, { ...only(version), signatureSchemes, cipherSuites: suites });
      expect((await link.secure).serverSignatureScheme?.name).toBe(signatureSchemes[0]);
      link.close();
      await link.over;
    }
  });

  test.each(VERSIONS)('%s: exporter', async (version) => {
    const label = 'EXPORTER-interop';
    const args = ['-keymatexport', label, '-keymatexportlen', '48'];
    const { program, port } = await sServer(identity, ...args);
    const { link } = await meet(port, only(version), undefined, program);
    const [, theirs] = await program.expect(/Keying material: ([0-9A-F]+)/);
    expect(toHex(link.connection.exportKeyingMaterial(48, label))).toBe(theirs!.toLowerCase());
  });

  test.each(VERSIONS)('%s: key log', async (version) => {
    const file = identities.path(`server-keys-${version}`);
    const { port } = await sServer(identity, '-rev', '-keylogfile', file);
    const { link } = await meet(port, only(version));
    const lines = readFileSync(file, 'latin1').split('\n');
    expect(lines.filter((line) => line !== '' && !line.startsWith('#')).sort()).toEqual(
      [...link.secrets].sort(),
    );
    expect(link.secrets.length).toBe(version === 'TLSv1.3' ? 5 : 1);
  });

  test.each(VERSIONS)('%s: fragments and padding', async (version) => {
    const args = ['-max_send_frag', '512', '-record_padding', '256'];
    const { port } = await sServer(identity, '-rev', ...args);
    const { link } = await meet(port, { ...only(version), maxFragmentLength: 100, padding: () => 33 });
    link.send(`${'ab'.repeat(3000)}\n`);
    await link.expect(`${'ba'.repeat(3000)}\n`);
    const data = link.recordsReceived.slice(-5);
    expect(Math.max(...data.map(({ length }) => length))).toBe(512);
    // A record's header has 5 bytes, its tag 16. There is no room for padding in a full one.
    const [padded] = data.filter(({ length }) => length < 512);
    if (version === 'TLSv1.3') expect((padded!.wireLength - 5 - 16) % 256).toBe(0);
  });

  test.each(VERSIONS)('%s: a megabyte each way', async (version) => {
    const { program, port } = await sServer(identity);
    const link = connectLink(port, config(only(version)));
    await link.secure;
    const lines = `${'x'.repeat(999)}\n`.repeat(1000);
    link.send(`${lines}the end\n`);
    await program.expect(/the end\n/);
    expect(program.output).toContain(`${lines}the end\n`);
    program.write(lines);
    await link.until(() => link.received.length >= lines.length, 'all bytes');
    expect(link.received).toBe(lines);
  });

  test.each(VERSIONS)('%s: their close', async (version) => {
    const { port } = await sServer(identity, '-www');
    const link = connectLink(port, config(only(version)));
    await link.secure;
    link.send('GET / HTTP/1.0\r\n\r\n');
    expect(await link.over).toBeUndefined();
    expect(link.received).toContain('</HTML>');
    expect(link.alerts).toEqual(['received close_notify', 'sent close_notify']);
  });

  test.each(VERSIONS)('%s: an end without close_notify', async (version) => {
    const { program, port } = await sServer(identity);
    const { link } = await meet(port, only(version), undefined, program);
    program.write('Q\n');
    expect(await link.over).toMatchObject({ code: 'truncated' });
  });

  test.each(VERSIONS)('%s: our close', async (version) => {
    const { program, port } = await sServer(identity);
    const { link } = await meet(port, only(version), undefined, program);
    link.close();
    expect(await link.over).toBeUndefined();
    await program.expect(/^DONE$/m);
    expect(program.output).not.toMatch(/error/i);
  });

  test('TLSv1.2: renegotiation is announced as secure, and refused', async () => {
    const { program, port } = await sServer(identity);
    const { link } = await meet(port, only('TLSv1.2'), undefined, program);
    program.write('r\n');
    await link.over;
    expect(link.alerts).toContain('sent no_renegotiation');
    await program.expect(/Secure Renegotiation IS supported/);
    await program.expect(/no renegotiation/);
  });
});

function config(options: Partial<ClientOptions> = {}) {
  return clientConfig({ provider: nodeCrypto, verifyCertificate: identities.verifier(), ...options });
}

/** Connects our client; a line has gone both ways: reversed by `-rev`, or typed where the server is a terminal. */
async function meet(
  port: number,
  options: Partial<ClientOptions> = {},
  session?: Session,
  terminal?: Program,
): Promise<{ link: Link }> {
  const link = connectLink(port, config(options), { session });
  await link.secure;
  if (terminal !== undefined) {
    await both(terminal, link, `hello ${port} ${Math.random()}`);
  } else {
    link.send('drawer\n');
    await link.expect('reward\n');
  }
  return { link };
}

async function both(program: Program, link: Link, text: string): Promise<void> {
  program.write(`${text}\n`);
  await link.expect(`${text}\n`);
  link.send(`${text} back\n`);
  await program.expect(new RegExp(`${text} back\n`));
}
