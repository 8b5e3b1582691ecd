import { readFileSync } from 'node:fs';
import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  MemorySessionStore,
  type ServerOptions,
  serverConfig,
  TicketKeys,
  type VersionName,
} from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity, KEY_TYPES } from './support/identities.ts';
import { type Link, type LinkServer, listenLinks } from './support/link.ts';
import { sClient } from './support/openssl.ts';
import type { Program } from './support/program.ts';

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const flag = (version: VersionName): string => (version === 'TLSv1.3' ? '-tls1_3' : '-tls1_2');

withPrograms('openssl')('OpenSSL client', () => {
  test('TLSv1.3: HelloRetryRequest', async () => {
    const server = await listen({ groups: ['x25519'] });
    const { link } = await meet(server, '-groups', 'P-384:X25519');
    expect(await link.secure).toMatchObject({ helloRetryRequest: true, group: { name: 'x25519' } });
    expect(link.messages.slice(0, 4)).toEqual([
      'received client_hello',
      'sent server_hello',
      'received client_hello',
      'sent server_hello',
    ]);
  });

  test('TLSv1.3: KeyUpdate', async () => {
    const { program, link } = await meet(await listen());
    await echo(program, 'ready');
    program.write('K\n');
    await link.until(() => link.keys.includes('received application 1'), 'a KeyUpdate');
    await echo(program, 'after theirs');
    expect(link.keys).toContain('sent application 1');
    link.do(() => link.connection.updateKeys());
    await echo(program, 'while ours is on its way');
    await echo(program, 'after ours');
    expect(link.keys.slice(-2)).toEqual(['sent application 2', 'received application 2']);
    program.write('k\n');
    // What it reads together with the command is lost: the next line waits for what it says to the second one.
    await program.expect(/KEYUPDATE.*KEYUPDATE/s);
    await echo(program, 'and one more');
    expect(link.keys.slice(-1)).toEqual(['received application 3']);
  });

  test.each([
    ['TLSv1.3', 'ticket', {}],
    ['TLSv1.2', 'ticket', {}],
    ['TLSv1.2', 'session ID', { store: true }],
  ] as const)('%s: resumption by %s', async (version, _by, { store }: { store?: true }) => {
    const server = await listen(
      store ? { sessionStore: new MemorySessionStore() } : { tickets: new TicketKeys(nodeCrypto) },
    );
    const file = identities.path(`session-${version}-${store}`);
    const args = [flag(version), ...(store ? ['-no_ticket'] : [])];
    const first = await meet(server, ...args, '-sess_out', file);
    first.program.endInput();
    await first.program.exit();
    expect(first.program.output).toContain(`New, ${version}`);
    const second = await meet(server, ...args, '-sess_in', file);
    expect(await second.link.secure).toMatchObject({ resumed: true, version });
    expect(second.program.output).toContain(`Reused, ${version}`);
    // Keys of another server: it does not resume, and goes on in full.
    const other = await meet(
      await listen(
        store ? { sessionStore: new MemorySessionStore() } : { tickets: new TicketKeys(nodeCrypto) },
      ),
      ...[...args, '-sess_in', file],
    );
    expect(await other.link.secure).toMatchObject({ resumed: false, version });
  });

  test.each(VERSIONS)('%s: client certificate', async (version) => {
    const server = await listen({
      clientCertificate: 'require',
      verifyCertificate: identities.verifier(),
      certificateAuthorities: [identities.root.certificate.subject.der],
      tickets: new TicketKeys(nodeCrypto),
    });
    for (const type of KEY_TYPES) {
      const client = identities.client(type);
      const file = identities.path(`session-${version}-${type}`);
      const args = [flag(version), '-cert', client.cert, '-key', client.key, '-cert_chain', client.cert];
      const { program, link } = await meet(server, ...args, '-sess_out', file);
      const info = await link.secure;
      expect(toHex(info.peerCertificates[0]!), type).toBe(toHex(client.leaf.der));
      expect(info.verifiedPath, type).toHaveLength(3);
      expect(program.output).toMatch(/Acceptable client certificate CA names\nCN ?= ?Interop root/);
      program.endInput();
      await program.exit();
      const again = await meet(server, flag(version), '-sess_in', file);
      const resumed = await again.link.secure;
      expect(resumed.resumed, type).toBe(true);
      expect(toHex(resumed.peerCertificates[0]!), type).toBe(toHex(client.leaf.der));
    }
  });

  test.each(VERSIONS)('%s: client certificate requested, none given', async (version) => {
    const server = await listen({ clientCertificate: 'request', verifyCertificate: identities.verifier() });
    const { link } = await meet(server, flag(version));
    expect((await link.secure).peerCertificates).toEqual([]);
  });

  test.each(VERSIONS)('%s: ALPN', async (version) => {
    const server = await listen({ alpnProtocols: ['http/1.1', 'h2'] });
    const { program, link } = await meet(server, flag(version), '-alpn', 'x,h2,http/1.1');
    expect((await link.secure).alpnProtocol).toBe('http/1.1');
    expect(program.output).toContain('ALPN protocol: http/1.1');
    const { program: without } = await meet(server, flag(version));
    expect(without.output).toContain('No ALPN negotiated');
  });

  test.each(VERSIONS)('%s: SNI chooses the certificate', async (version) => {
    const other = identities.server('P-256', { names: ['other.example'] });
    const server = await listen({
      credentials: ({ serverName }) => [
        serverName === 'other.example' ? other.credential : identity.credential,
      ],
    });
    const name = ['-servername', 'other.example', '-verify_hostname', 'other.example'];
    const { link } = await meet(server, flag(version), ...name);
    expect((await link.secure).serverName).toBe('other.example');
    const { link: nameless } = await meet(server, flag(version), '-noservername');
    expect((await nameless.secure).serverName).toBeUndefined();
  });

  test.each(VERSIONS)('%s: the certificate that the client can verify', async (version) => {
    const rsa = identities.server('RSA');
    const server = await listen({ credentials: [identity.credential, rsa.credential] });
    const { program } = await meet(server, flag(version), '-sigalgs', 'RSA-PSS+SHA256:RSA+SHA256');
    expect(program.output).toContain('Peer signature type: RSA-PSS');
    const { program: both } = await meet(server, flag(version));
    expect(both.output).toContain('Peer signature type: ECDSA');
  });

  test.each(VERSIONS)('%s: exporter', async (version) => {
    const label = 'EXPORTER-interop';
    const args = ['-keymatexport', label, '-keymatexportlen', '48'];
    const { program, link } = await meet(await listen(), flag(version), ...args);
    const [, theirs] = await program.expect(/Keying material: ([0-9A-F]+)/);
    expect(toHex(link.connection.exportKeyingMaterial(48, label))).toBe(theirs!.toLowerCase());
  });

  test.each(VERSIONS)('%s: key log', async (version) => {
    const file = identities.path(`keys-${version}`);
    const { link } = await meet(await listen(), flag(version), '-keylogfile', file);
    expect(keyLogLines(readFileSync(file, 'latin1'))).toEqual([...link.secrets].sort());
    expect(link.secrets.length).toBe(version === 'TLSv1.3' ? 5 : 1);
  });

  test.each(VERSIONS)('%s: fragments and padding', async (version) => {
    const line = 'x'.repeat(5000);
    const small = await meet(await listen(), flag(version), '-max_send_frag', '512');
    await echo(small.program, line);
    expect(Math.max(...small.link.recordsReceived.map(({ length }) => length))).toBe(512);
    const split = await meet(await listen(), flag(version), '-split_send_frag', '700');
    await echo(split.program, line);
    expect(split.link.recordsReceived.length).toBeGreaterThan(0);
    const ours = await meet(await listen({ maxFragmentLength: 100, padding: () => 33 }), flag(version));
    await echo(ours.program, line);
    const padded = await meet(await listen(), flag(version), '-record_padding', '256');
    await echo(padded.program, 'short');
    const [record] = padded.link.recordsReceived.slice(-1);
    // Its header has 5 bytes, its tag 16.
    if (version === 'TLSv1.3') expect((record!.wireLength - 5 - 16) % 256).toBe(0);
  });

  test.each(VERSIONS)('%s: a megabyte each way', async (version) => {
    const server = await listen({}, false);
    const { program, link } = await meet(server, flag(version), '-quiet');
    const lines = `${'x'.repeat(999)}\n`.repeat(1000);
    program.write(lines);
    await link.until(() => link.received.length >= lines.length, 'all bytes');
    expect(link.received.endsWith(lines)).toBe(true);
    link.send(`${lines}the end\n`);
    await program.expect(/the end\n$/);
    expect(program.output.endsWith(`${lines}the end\n`)).toBe(true);
  });

  test.each(VERSIONS)('%s: their close', async (version) => {
    const { program, link } = await meet(await listen(), flag(version));
    program.endInput();
    expect(await program.exit()).toBe(0);
    expect(await link.over).toBeUndefined();
    expect(link.alerts).toEqual(['received close_notify', 'sent close_notify']);
  });

  test.each(VERSIONS)('%s: our close', async (version) => {
    const { program, link } = await meet(await listen(), flag(version));
    link.close();
    // "closed" for close_notify; an end without it is "read:errno=0".
    await program.expect(/^closed$/m);
    await program.exit();
    expect(program.output).not.toContain('errno');
  });

  test('TLSv1.2: renegotiation is announced as secure, and refused', async () => {
    const { program, link } = await meet(await listen(), '-tls1_2');
    expect(program.output).toContain('Secure Renegotiation IS supported');
    program.write('R\n');
    await link.until(() => link.alerts.includes('sent no_renegotiation'), 'the refusal').catch(() => {});
    expect(link.alerts).toContain('sent no_renegotiation');
    expect(await program.expect(/no renegotiation/)).toBeDefined();
  });
});

function listen(options: Partial<ServerOptions> = {}, echo = true): Promise<LinkServer> {
  return listenLinks(serverConfig({ provider: nodeCrypto, credentials: [identity.credential], ...options }), {
    echo,
  });
}

/** Connects `s_client`, whose certificate checks are all on; a line has gone both ways. */
async function meet(server: LinkServer, ...args: string[]): Promise<{ program: Program; link: Link }> {
  const program = sClient(identities, server.port, ...args);
  program.write('hello\n');
  const link = await server.next();
  await link.secure;
  await link.expect('hello\n');
  if (!args.includes('-quiet')) await program.expect(/Verify return code: 0 \(ok\)|Reused/);
  // What it echoes overtakes what it prints about itself, so it may stand in the middle of a line.
  if (!args.includes('-quiet')) await program.expect(/hello\n/);
  return { program, link };
}

async function echo(program: Program, text: string): Promise<void> {
  program.write(`${text}\n`);
  await program.expect(new RegExp(`${text}\n`));
}

function keyLogLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .sort();
}
