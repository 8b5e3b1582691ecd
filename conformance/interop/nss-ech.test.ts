import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { concat, der, toBase64 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ClientOptions,
  clientConfig,
  type EchKey,
  encodeEchConfigList,
  generateEchKey,
  parseEchConfigList,
  type ServerOptions,
  type Session,
  serverConfig,
} from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { requireProgram, withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link, listenLinks } from './support/link.ts';
import { Program, startOnFreePort } from './support/program.ts';

// Encrypted Client Hello (RFC 9849) with NSS, whose own configuration of keys is this version's (0xfe0d).

cleanUpAfterTests();

const PUBLIC = 'public.example';
const REAL = 'hidden.example';

let identities: Identities;
let open: Identity;
let hidden: Identity;
/** For both names: tstclnt looks for the real one even where only the public one was seen. */
let either: Identity;
let database: string;

beforeAll(() => {
  identities = new Identities();
  open = identities.server('P-256', { names: [PUBLIC] });
  hidden = identities.server('P-256', { names: [REAL] });
  either = identities.server('P-256', { names: [PUBLIC, REAL] });
});

const key = (more: Partial<Parameters<typeof generateEchKey>[1]> = {}): EchKey =>
  generateEchKey(nodeCrypto, { publicName: PUBLIC, ...more });
const listOf = (...keys: readonly EchKey[]): Uint8Array =>
  encodeEchConfigList(keys.map(({ config }) => config));

withPrograms('tstclnt', 'certutil')('NSS client, our server', () => {
  beforeAll(() => {
    database = makeDatabase('client');
    run('certutil', '-d', database, '-A', '-t', 'C,,', '-n', 'interop', '-i', identities.ca);
  });

  test.each([
    ['x25519, AES-128-GCM', {}],
    ['x25519, AES-256-GCM', { cipherSuites: [{ kdf: 1, aead: 2 }] }],
    ['x25519, ChaCha20-Poly1305', { cipherSuites: [{ kdf: 1, aead: 3 }] }],
    ['x25519, HKDF-SHA384', { cipherSuites: [{ kdf: 2, aead: 2 }] }],
  ] as const)('accepted: %s', async (_, options) => {
    const own = key(options);
    const { link } = await visit(['-N', toBase64(listOf(own))], { echKeys: [own] });
    expect(await link.secure).toMatchObject({ ech: 'accepted', serverName: REAL, helloRetryRequest: false });
    await link.expect('hello');
  });

  test('accepted after a HelloRetryRequest', async () => {
    const own = key();
    const { link } = await visit(['-N', toBase64(listOf(own))], { echKeys: [own], groups: ['secp384r1'] });
    expect(await link.secure).toMatchObject({ ech: 'accepted', serverName: REAL, helloRetryRequest: true });
    await link.expect('hello');
  });

  test.each([
    ['', {}],
    [' after a HelloRetryRequest', { groups: ['secp384r1'] }],
  ])(
    'rejected%s: it takes the configurations to try again with, and says ech_required',
    async (_, options) => {
      const own = key();
      const both = { echKeys: [own], credentials: [either.credential], ...options };
      const { link, program } = await visit(['-N', toBase64(listOf(key()))], both);
      expect(await link.over).toMatchObject({ code: 'alert-received', receivedAlert: 'ech_required' });
      await program.exit();
      const [, printed] = /retry_configs: \n(\S+)/.exec(program.output)!;
      expect(printed).toBe(toBase64(listOf(own)));
    },
  );

  test('a server that knows nothing of ECH is told that it is required', async () => {
    const { link } = await visit(['-N', toBase64(listOf(key()))], { credentials: [either.credential] });
    expect(await link.over).toMatchObject({ code: 'alert-received', receivedAlert: 'ech_required' });
  });

  test('GREASE', async () => {
    const { link } = await visit(['-i', '100'], { echKeys: [key()] });
    expect(['grease', 'rejected']).toContain((await link.secure).ech);
    await link.expect('hello');
  });
});

withPrograms(
  'selfserv',
  'certutil',
  'pk12util',
  'openssl',
)('NSS server, our client', () => {
  beforeAll(() => {
    database = makeDatabase('server');
    // selfserv takes a certificate by its nickname, which is the name in SNI.
    importIdentity(PUBLIC, open);
    importIdentity(REAL, hidden);
  });

  test.each([
    ['AES-128-GCM', {}],
    ['AES-256-GCM', { cipherSuites: [{ kdf: 1, aead: 2 }] }],
    ['ChaCha20-Poly1305', { cipherSuites: [{ kdf: 1, aead: 3 }] }],
    ['HKDF-SHA512', { cipherSuites: [{ kdf: 3, aead: 1 }] }],
    ['a longest name', { maximumNameLength: 200 }],
  ] as const)('accepted: %s', async (_, options) => {
    const own = key(options);
    const { port, program } = await serve(own);
    const link = connect(port, listOf(own));
    expect(await link.secure).toMatchObject({ ech: 'accepted', serverName: REAL, helloRetryRequest: false });
    await get(link);
    await program.expect(/Negotiated server name: hidden\.example/);
  });

  test('accepted after a HelloRetryRequest', async () => {
    const own = key();
    const { port } = await serve(own, '-I', 'P256');
    const link = connect(port, listOf(own), { keyShareGroups: ['x25519'] });
    expect(await link.secure).toMatchObject({ ech: 'accepted', helloRetryRequest: true });
    await get(link);
  });

  test('resumed, with early data', async () => {
    const own = key();
    const { port } = await serve(own, '-u', '-Z');
    const first = connect(port, listOf(own));
    await get(first);
    await first.until(() => first.sessions.length > 0, 'a ticket');
    const [session] = first.sessions;
    const again = connect(port, listOf(own), {}, { session });
    expect(await again.secure).toMatchObject({ ech: 'accepted', resumed: true });
    await get(again);
  });

  // Not after a HelloRetryRequest: NSS 3.87 hashes one that holds an encrypted_client_hello of random bytes (RFC 9849
  // §7.1) in another form than it sent it in, and so its server does not meet its own client either.
  test('rejected: the configurations that it sends with the public name lead to another try', async () => {
    const own = key();
    const { port } = await serve(own);
    const error = await connect(port, listOf(key())).over;
    expect(error).toMatchObject({ code: 'ech-rejected', retryConfigs: listOf(own) });
    const again = connect(port, error!.retryConfigs!);
    expect(await again.secure).toMatchObject({ ech: 'accepted', serverName: REAL });
    await get(again);
  });

  test('one that knows nothing of ECH shows the certificate of the public name', async () => {
    const { port, program } = await serve(undefined);
    const error = await connect(port, listOf(key())).over;
    expect(error).toMatchObject({ code: 'ech-rejected', retryConfigs: undefined });
    expect(program.output).not.toContain(REAL);
  });

  test('one without a certificate for the public name is not believed', async () => {
    const own = key();
    const { port } = await serve(own);
    const error = await connect(port, listOf(key({ publicName: REAL.replace('hidden', 'other') }))).over;
    expect(error).toMatchObject({ code: 'alert-received', retryConfigs: undefined });
  });

  test('GREASE', async () => {
    const { port } = await serve(key());
    const link = connect(port, 'grease');
    expect(await link.secure).toMatchObject({ ech: 'grease', serverName: REAL });
    await get(link);
  });
});

/** `tstclnt` with our server. */
async function visit(
  args: readonly string[],
  options: Partial<ServerOptions>,
): Promise<{ link: Link; program: Program }> {
  const server = await listenLinks(
    serverConfig({
      provider: nodeCrypto,
      credentials: ({ serverName }) =>
        serverName === PUBLIC ? [open.credential] : serverName === REAL ? [hidden.credential] : [],
      ...options,
    }),
  );
  const program = new Program('tstclnt', [
    '-d',
    database,
    '-h',
    '127.0.0.1',
    '-a',
    REAL,
    '-p',
    String(server.port),
    '-V',
    'tls1.3:tls1.3',
    ...args,
  ]);
  program.write('hello\n');
  return { link: await server.next(), program };
}

/** `selfserv` with a key, or without ECH. */
function serve(
  own: EchKey | undefined,
  ...args: readonly string[]
): Promise<{ port: number; program: Program }> {
  const ech = own === undefined ? [] : ['-X', toBase64(concat(nssPrivateKey(own), listOf(own)))];
  const certificates = ['-n', PUBLIC, '-a', REAL];
  return startOnFreePort(
    (port) =>
      new Program('selfserv', [
        ...['-d', database, '-p', String(port), '-V', 'tls1.3:tls1.3', '-v'],
        ...certificates,
        ...ech,
        ...args,
      ]),
    /selfserv: About to call accept/,
  );
}

/** PKCS #8 as NSS 3.87 reads it: X25519 as an elliptic curve with an older number, the public key inside (RFC 5915). */
function nssPrivateKey({ config, privateKey }: EchKey): Uint8Array {
  const [parsed] = parseEchConfigList(encodeEchConfigList([config]));
  const ecPrivateKey = der.sequence(
    der.integer(1),
    der.octetString(privateKey),
    der.explicit(1, der.bitString(parsed!.publicKey)),
  );
  const algorithm = der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.3.6.1.4.1.11591.15.1'));
  const info = der.sequence(der.integer(0), algorithm, der.octetString(ecPrivateKey));
  return concat(Uint8Array.of(0, info.length), info);
}

function connect(
  port: number,
  configs: Uint8Array | 'grease',
  options: Partial<ClientOptions> = {},
  more: { session?: Session | undefined } = {},
): Link {
  return connectLink(
    port,
    clientConfig({
      provider: nodeCrypto,
      verifyCertificate: identities.verifier(),
      ech: configs === 'grease' ? configs : { configs },
      ...options,
    }),
    { host: REAL, ...more },
  );
}

/** The answer of its web server. */
async function get(link: Link): Promise<void> {
  await link.secure;
  link.send('GET / HTTP/1.0\r\n\r\n');
  await link.expect('HTTP/1.0 200 OK');
}

function importIdentity(nickname: string, { cert, key: file }: Identity): void {
  const bundle = identities.path(`${nickname}.p12`);
  const input = ['-in', cert, '-inkey', file, '-name', nickname];
  run('openssl', 'pkcs12', '-export', ...input, '-passout', 'pass:x', '-out', bundle);
  run('pk12util', '-d', database, '-i', bundle, '-W', 'x', '-K', '');
}

function makeDatabase(name: string): string {
  const folder = identities.path(name);
  mkdirSync(folder);
  run('certutil', '-d', `sql:${folder}`, '-N', '--empty-password');
  return `sql:${folder}`;
}

function run(program: Parameters<typeof requireProgram>[0], ...args: readonly string[]): void {
  execFileSync(requireProgram(program), args, { stdio: 'pipe' });
}
