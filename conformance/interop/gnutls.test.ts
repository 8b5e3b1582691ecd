import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ClientOptions,
  clientConfig,
  groupByName,
  type ServerOptions,
  type Session,
  serverConfig,
  TicketKeys,
  type VersionName,
} from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { gnutlsServ } from './support/gnutls.ts';
import { Identities, type Identity, KEY_TYPES, type KeyType } from './support/identities.ts';
import { connectLink, type Link, type LinkServer, listenLinks } from './support/link.ts';
import { suites12 } from './support/openssl.ts';
import { Program } from './support/program.ts';

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const only = (version: VersionName) => ({ minVersion: version, maxVersion: version });
/** A priority string with this version, and with what NORMAL leaves out. */
const priority = (version: VersionName, ...rest: string[]): string =>
  [
    'NORMAL',
    '-VERS-ALL',
    `+VERS-${version.replace('v', '')}`,
    '+AES-128-CCM',
    '+AES-128-CCM-8',
    ...rest,
  ].join(':');

/** Our names, and those of GnuTLS. */
const CIPHERS = {
  TLS_AES_128_GCM_SHA256: 'AES-128-GCM',
  TLS_AES_256_GCM_SHA384: 'AES-256-GCM',
  TLS_CHACHA20_POLY1305_SHA256: 'CHACHA20-POLY1305',
  TLS_AES_128_CCM_SHA256: 'AES-128-CCM',
  TLS_AES_128_CCM_8_SHA256: 'AES-128-CCM-8',
} as const;
const GROUPS = ['X25519', 'SECP256R1', 'SECP384R1', 'SECP521R1'] as const;

const cases = VERSIONS.flatMap((version) => KEY_TYPES.map((type) => [version, type] as const));

withPrograms('gnutls-serv')('GnuTLS server', () => {
  let keys: Record<KeyType, Identity>;
  const ports = new Map<KeyType, number>();
  beforeAll(async () => {
    keys = Object.fromEntries(KEY_TYPES.map((type) => [type, identities.server(type)])) as typeof keys;
    for (const type of KEY_TYPES) {
      const everything = 'NORMAL:+AES-128-CCM:+AES-128-CCM-8';
      ports.set(type, (await gnutlsServ(keys[type], '--disable-client-cert', '--priority', everything)).port);
    }
  });

  test.each(cases)('%s: every suite and group with a key of type %s', async (version, type) => {
    const suites =
      version === 'TLSv1.3' ? Object.keys(CIPHERS) : suites12(type.startsWith('RSA') ? 'RSA' : 'ECDSA');
    for (const suite of suites) {
      for (const group of GROUPS) {
        const own = /^P-/.test(type) ? [type] : [];
        const { link } = await meet(ports.get(type)!, {
          ...only(version),
          cipherSuites: [suite],
          groups: [group, ...own.filter((name) => groupByName(name) !== groupByName(group))],
        });
        const info = await link.secure;
        expect(info.cipherSuite.opensslName).toBe(suite);
        if (own.length === 0) expect(info.group, suite).toBe(groupByName(group));
        link.close();
        expect(await link.over).toBeUndefined();
      }
    }
  });

  test('TLSv1.3: HelloRetryRequest', async () => {
    const { port } = await gnutlsServ(
      identity,
      '--priority',
      priority('TLSv1.3', '-GROUP-ALL', '+GROUP-SECP384R1'),
    );
    const { link } = await meet(port, { groups: ['x25519', 'secp384r1'] });
    expect(await link.secure).toMatchObject({ helloRetryRequest: true, group: { name: 'secp384r1' } });
  });

  test('TLSv1.3: KeyUpdate', async () => {
    const { link } = await meet(ports.get('P-256')!, only('TLSv1.3'));
    link.do(() => link.connection.updateKeys());
    await echo(link, 'after ours');
    expect(link.keys.slice(-2)).toEqual(['sent application 1', 'received application 1']);
    link.do(() => link.connection.updateKeys({ requestPeer: false }));
    await echo(link, 'alone');
    expect(link.keys.slice(-1)).toEqual(['sent application 2']);
  });

  test.each([
    ['TLSv1.3', 'ticket', []],
    ['TLSv1.2', 'ticket', []],
    ['TLSv1.2', 'session ID', ['--noticket']],
  ] as const)('%s: resumption by %s', async (version, _by, args) => {
    const { port } = await gnutlsServ(identity, '--disable-client-cert', ...args);
    const { link: first } = await meet(port, only(version));
    await first.until(() => first.sessions.length > 0, 'a session');
    first.close();
    const { link: second } = await meet(port, only(version), first.sessions[0]);
    expect(await second.secure).toMatchObject({ resumed: true, version });
  });

  test.each(VERSIONS)('%s: client certificate', async (version) => {
    const args = ['--require-client-cert', '--verify-client-cert', '--x509cafile', identities.ca];
    const { program, port } = await gnutlsServ(identity, ...args);
    for (const type of KEY_TYPES) {
      const client = identities.client(type, `client of type ${type}`);
      const { link } = await meet(port, { ...only(version), credentials: [client.credential] });
      expect((await link.secure).clientSignatureScheme, type).toBeDefined();
      await program.expect(new RegExp(`Subject: CN=client of type ${type}\n`));
    }
    // In TLS 1.2 GnuTLS calls an empty list a decode_error, whoever sends it.
    const none = connectLink(port, config(only(version)));
    expect((await none.over)?.receivedAlert).toMatch(/^(certificate_required|decode_error)$/);
  });

  test.each(VERSIONS)('%s: ALPN', async (version) => {
    const { port } = await gnutlsServ(identity, '--alpn', 'h2', '--alpn-fatal');
    const { link } = await meet(port, { ...only(version), alpnProtocols: ['x', 'h2'] });
    expect((await link.secure).alpnProtocol).toBe('h2');
    const without = connectLink(port, config({ ...only(version), alpnProtocols: ['x'] }));
    expect(await without.over).toMatchObject({ receivedAlert: 'no_application_protocol' });
  });

  test.each(VERSIONS)('%s: exporter', async (version) => {
    const { program, port } = await gnutlsServ(
      identity,
      ...['--keymatexport', 'EXPORTER-interop', '--keymatexportsize', '48'],
    );
    const { link } = await meet(port, only(version));
    const [, theirs] = await program.expect(/Key material: ([0-9a-f]{96})/);
    expect(toHex(link.connection.exportKeyingMaterial(48, 'EXPORTER-interop'))).toBe(theirs);
  });

  test.each(VERSIONS)('%s: refusals', async (version) => {
    const { port } = await gnutlsServ(
      identity,
      '--priority',
      priority(version, '-GROUP-ALL', '+GROUP-X25519'),
    );
    const other = version === 'TLSv1.3' ? 'TLSv1.2' : 'TLSv1.3';
    const wrongVersion = await connectLink(port, config(only(other))).over;
    expect(wrongVersion?.receivedAlert).toMatch(/^(protocol_version|handshake_failure)$/);
    const group = await connectLink(port, config({ groups: ['secp521r1'] })).over;
    expect(group).toMatchObject({ code: 'alert-received' });
    const strangers = new Identities('Stranger');
    const trusting = config({ verifyCertificate: strangers.verifier() });
    expect(await connectLink(port, trusting).over).toMatchObject({ code: 'unknown-ca' });
  });
});

withPrograms('gnutls-cli')('GnuTLS client', () => {
  test.each(cases)('%s: every suite with a key of type %s, the groups in turn', async (version, type) => {
    const server = await listen({
      credentials: [identities.server(type).credential],
      cipherSuites: [...Object.keys(CIPHERS), ...suites12('ECDSA'), ...suites12('RSA')],
    });
    const suites = Object.entries(CIPHERS).filter(
      ([suite]) => version === 'TLSv1.3' || !suite.includes('CCM'),
    );
    for (const [i, [, cipher]] of suites.entries()) {
      const group = GROUPS[(i + KEY_TYPES.indexOf(type)) % GROUPS.length]!;
      const groups = [
        '-GROUP-ALL',
        `+GROUP-${group}`,
        ...GROUPS.filter((g) => g !== group).map((g) => `+GROUP-${g}`),
      ];
      const wanted = priority(version, '-CIPHER-ALL', `+${cipher}`, ...groups);
      const only = groupByName(group)!;
      const { program, link } = await greet(server, '--priority', wanted, '--single-key-share');
      const info = await link.secure;
      expect(info.version).toBe(version);
      // Our order of groups counts, but a share that is there saves a round trip.
      if (version === 'TLSv1.3') expect(info.group).toBe(only);
      await program.expect(new RegExp(`Description: \\(TLS${version.slice(4)}.*\\(${cipher}\\)`));
      await program.expect(/The certificate is trusted/);
      program.endInput();
      expect(await program.exit()).toBe(0);
      expect(await link.over).toBeUndefined();
    }
  });

  test('TLSv1.3: HelloRetryRequest', async () => {
    const wanted = priority('TLSv1.3', '-GROUP-ALL', '+GROUP-SECP384R1', '+GROUP-X25519');
    const { link } = await greet(
      await listen({ groups: ['x25519'] }),
      ...['--priority', wanted, '--single-key-share'],
    );
    expect(await link.secure).toMatchObject({ helloRetryRequest: true, group: { name: 'x25519' } });
  });

  test('TLSv1.3: KeyUpdate', async () => {
    const { program, link } = await greet(
      await listen(),
      '--inline-commands',
      '--priority',
      priority('TLSv1.3'),
    );
    program.write('^rekey^\n');
    await link.until(() => link.keys.includes('received application 1'), 'a KeyUpdate');
    program.write('after theirs\n');
    await program.expect(/after theirs\n/);
    link.do(() => link.connection.updateKeys());
    program.write('after ours\n');
    await program.expect(/after ours\n/);
    expect(link.keys.filter((key) => key.startsWith('sent')).at(-1)).toMatch(/^sent application [12]$/);
  });

  test.each([
    ['TLSv1.3', 'ticket', ['--waitresumption']],
    ['TLSv1.2', 'ticket', []],
  ] as const)('%s: resumption by %s', async (version, _by, args) => {
    const server = await listen({ tickets: new TicketKeys(nodeCrypto) });
    const program = cli(server, '--resume', ...args, '--priority', priority(version));
    const first = await server.next();
    expect(await first.secure).toMatchObject({ resumed: false, version });
    const second = await server.next();
    expect(await second.secure).toMatchObject({ resumed: true, version });
    await program.expect(/This is a resumed session/);
  });

  test.each(VERSIONS)('%s: client certificate', async (version) => {
    const server = await listen({ clientCertificate: 'require', verifyCertificate: identities.verifier() });
    for (const type of KEY_TYPES) {
      const { cert, key, leaf } = identities.client(type);
      const files = ['--x509certfile', cert, '--x509keyfile', key];
      const { link } = await greet(server, ...files, '--priority', priority(version));
      expect(toHex((await link.secure).peerCertificates[0]!), type).toBe(toHex(leaf.der));
    }
    const none = cli(server, '--priority', priority(version));
    const link = await server.next();
    expect(await link.over).toMatchObject({ reason: 'CertificateRejected' });
    expect(await none.exit()).not.toBe(0);
  });

  test.each(VERSIONS)('%s: ALPN', async (version) => {
    const server = await listen({ alpnProtocols: ['h2'] });
    const { program, link } = await greet(
      server,
      '--alpn',
      'x',
      '--alpn',
      'h2',
      '--priority',
      priority(version),
    );
    expect((await link.secure).alpnProtocol).toBe('h2');
    await program.expect(/Application protocol: h2/);
  });

  test.each(VERSIONS)('%s: exporter', async (version) => {
    const args = ['--keymatexport', 'EXPORTER-interop', '--keymatexportsize', '48'];
    const { program, link } = await greet(await listen(), ...args, '--priority', priority(version));
    const [, theirs] = await program.expect(/Key material: ([0-9a-f]{96})/);
    expect(toHex(link.connection.exportKeyingMaterial(48, 'EXPORTER-interop'))).toBe(theirs);
  });

  test.each(VERSIONS)('%s: refusals', async (version) => {
    const refusedBy = async (options: Partial<ServerOptions>): Promise<Link> => {
      const server = await listen(options);
      const program = cli(server, '--priority', priority(version));
      expect(await program.exit()).not.toBe(0);
      return server.next();
    };
    const old = identities.server('P-256', { at: new Date(Date.now() - 100 * 86_400_000), days: 30 });
    const misnamed = identities.server('P-256', { names: ['other.example'] });
    // GnuTLS verifies after the handshake, so its alert comes late or not at all; it must not talk to us.
    for (const { credential } of [old, misnamed, new Identities('Stranger').server()]) {
      const link = await refusedBy({ credentials: [credential] });
      expect((await link.over) ?? link.received).not.toContain('hello');
    }
    const other = version === 'TLSv1.3' ? 'TLSv1.2' : 'TLSv1.3';
    expect(await (await refusedBy(only(other))).over).toMatchObject({ code: 'no-common-version' });
  });
});

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
  await echo(link, 'hello');
  return { link };
}

async function echo(link: Link, text: string): Promise<void> {
  link.send(`${text}\n`);
  await link.expect(`${text}\n`);
}

function listen(options: Partial<ServerOptions> = {}): Promise<LinkServer> {
  return listenLinks(serverConfig({ provider: nodeCrypto, credentials: [identity.credential], ...options }));
}

function cli(server: LinkServer, ...args: string[]): Program {
  return new Program('gnutls-cli', [
    ...['--port', String(server.port), '--x509cafile', identities.ca],
    ...['--sni-hostname', 'localhost', '--verify-hostname', 'localhost', ...args, '127.0.0.1'],
  ]);
}

/** Connects `gnutls-cli`; a line has gone both ways. */
async function greet(server: LinkServer, ...args: string[]): Promise<{ program: Program; link: Link }> {
  const program = cli(server, ...args);
  const link = await server.next();
  await link.secure;
  await program.expect(/Simple Client Mode/);
  program.write('hello\n');
  await link.expect('hello\n');
  await program.expect(/^hello$/m);
  return { program, link };
}
