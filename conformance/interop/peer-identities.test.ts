import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { encodePem } from '@testudo/codec';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ClientOptions,
  type Credential,
  clientConfig,
  credential,
  issueDelegatedCredential,
  pinnedKeys,
  rawPublicKeyCredential,
  type ServerOptions,
  serverConfig,
  TicketKeys,
} from '@testudo/tls';
import { privateKeyToPem } from '@testudo/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { requireProgram, withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { gnutlsServ } from './support/gnutls.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link, type LinkServer, listenLinks } from './support/link.ts';
import { Program } from './support/program.ts';

// How peers show who they are: raw public keys (RFC 7250) with GnuTLS, delegated credentials (RFC 9345) with NSS.

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
beforeAll(() => {
  identities = new Identities();
  identity = identities.server();
});

/** A key pair without a certificate: for us, and as files. */
interface RawIdentity {
  readonly credential: Credential & { readonly rawPublicKey: Uint8Array };
  readonly args: readonly string[];
}

let count = 0;
function raw(spec: KeySpec): RawIdentity {
  const key = nodeCrypto.generateKey(spec);
  const [publicFile, keyFile] = [identities.path(`raw-${++count}.pub`), identities.path(`raw-${count}.key`)];
  writeFileSync(publicFile, encodePem('PUBLIC KEY', key.publicKey.spki));
  writeFileSync(keyFile, privateKeyToPem(key), { mode: 0o600 });
  return {
    credential: rawPublicKeyCredential(nodeCrypto, key) as RawIdentity['credential'],
    args: ['--rawpkkeyfile', keyFile, '--rawpkfile', publicFile],
  };
}

const SPECS = {
  'P-256': { type: 'ec', curve: 'secp256r1' },
  Ed25519: { type: 'ed25519' },
  RSA: { type: 'rsa', bits: 2048 },
} as const;
const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const only = (version: (typeof VERSIONS)[number], ...rest: string[]): string =>
  ['NORMAL', '-VERS-ALL', `+VERS-${version.replace('v', '')}`, ...rest].join(':');
const RAW_SERVER = ['-CTYPE-SRV-ALL', '+CTYPE-SRV-RAWPK'];
const RAW_CLIENT = ['-CTYPE-CLI-ALL', '+CTYPE-CLI-RAWPK'];
const cases = VERSIONS.flatMap((version) =>
  (Object.keys(SPECS) as (keyof typeof SPECS)[]).map((type) => [version, type] as const),
);

withPrograms('gnutls-serv')('GnuTLS server', () => {
  test.each(cases)('%s: raw public key, %s', async (version, type) => {
    const theirs = raw(SPECS[type]);
    const args = ['--disable-client-cert', '--priority', only(version, ...RAW_SERVER), ...theirs.args];
    const port = await serve(args);
    const { rawPublicKey } = theirs.credential;
    const link = connect(port, { verifyRawPublicKey: pinnedKeys([rawPublicKey]) });
    const info = await link.secure;
    expect([info.version, plain(info.peerRawPublicKey)]).toEqual([version, rawPublicKey]);
    await echo(link);
    const other = pinnedKeys([raw(SPECS['P-256']).credential.rawPublicKey]);
    const refusing = connect(port, { verifyRawPublicKey: other });
    expect(await refusing.over).toMatchObject({ code: 'certificate-unknown' });
  });

  test.each(cases)('%s: raw public keys of both sides, %s', async (version, type) => {
    const [theirs, ours] = [raw(SPECS['P-256']), raw(SPECS[type])];
    const priority = only(version, ...RAW_SERVER, ...RAW_CLIENT);
    const port = await serve(['--require-client-cert', '--priority', priority, ...theirs.args]);
    const link = connect(port, {
      verifyRawPublicKey: pinnedKeys([theirs.credential.rawPublicKey]),
      credentials: [ours.credential],
    });
    const info = await link.secure;
    expect(info.localRawPublicKey).toEqual(ours.credential.rawPublicKey);
    await echo(link);
  });
});

withPrograms('gnutls-cli')('GnuTLS client', () => {
  test.each(cases)('%s: raw public key, %s', async (version, type) => {
    const own = raw(SPECS[type]);
    const server = await listen({ credentials: [own.credential] });
    const link = await greet(server, ['--insecure', '--priority', only(version, ...RAW_SERVER)]);
    expect(await link.secure).toMatchObject({ version, localRawPublicKey: own.credential.rawPublicKey });
  });

  test.each(VERSIONS)('%s: a session that began with a raw public key', async (version) => {
    const own = raw(SPECS['P-256']);
    const server = await listen({ credentials: [own.credential], tickets: new TicketKeys(nodeCrypto) });
    const waits = version === 'TLSv1.3' ? ['--waitresumption'] : [];
    const args = ['--insecure', '--resume', ...waits, '--priority', only(version, ...RAW_SERVER)];
    const program = new Program('gnutls-cli', ['--port', String(server.port), ...args, 'localhost']);
    const first = await server.next();
    expect(await first.secure).toMatchObject({ resumed: false });
    const second = await server.next();
    expect(await second.secure).toMatchObject({ version, resumed: true });
    await program.expect(/This is a resumed session/);
  });

  test.each(cases)('%s: raw public keys of both sides, %s', async (version, type) => {
    const [own, theirs] = [raw(SPECS['P-256']), raw(SPECS[type])];
    const server = await listen({
      credentials: [own.credential],
      clientCertificate: 'require',
      verifyRawPublicKey: pinnedKeys([theirs.credential.rawPublicKey]),
    });
    const priority = only(version, ...RAW_SERVER, ...RAW_CLIENT);
    const link = await greet(server, ['--insecure', '--priority', priority, ...theirs.args]);
    expect(plain((await link.secure).peerRawPublicKey)).toEqual(theirs.credential.rawPublicKey);
  });

  test.each(VERSIONS)('%s: a client that takes certificates only gets one', async (version) => {
    const credentials = [raw(SPECS['P-256']).credential, identity.credential];
    const link = await greet(await listen({ credentials }), ['--priority', only(version), ...TRUST()]);
    expect((await link.secure).localCertificates).toEqual(identity.credential.certificates);
  });
});

withPrograms('tstclnt', 'certutil')('NSS client', () => {
  let database: string;
  beforeAll(() => {
    database = identities.path('nss');
    mkdirSync(database);
    run('certutil', '-N', '-d', database, '--empty-password');
    run('certutil', '-d', database, '-A', '-t', 'C,,', '-n', 'interop', '-i', identities.ca);
  });

  /** A certificate for localhost that allows delegation, and a key that it is delegated to. */
  async function delegating(certificateKey: KeySpec, key: KeySpec): Promise<Credential> {
    const issued = identities.root.issue({
      ...{ purpose: 'server', names: ['localhost'], delegationUsage: true, key: certificateKey },
    });
    const chain = issued.certificateChain.map(({ der }) => der);
    const delegator = credential(nodeCrypto, chain, issued.privateKey!);
    const delegated = await issueDelegatedCredential(nodeCrypto, {
      delegator,
      key: nodeCrypto.generateKey(key),
    });
    return { ...delegator, delegatedCredentials: [delegated] };
  }

  function visit(server: LinkServer, ...args: string[]): Program {
    const to = ['-h', '127.0.0.1', '-a', 'localhost', '-p', String(server.port), '-V', 'tls1.3:tls1.3'];
    return new Program('tstclnt', ['-d', database, ...to, ...args]);
  }

  // Not RSA: NSS takes no delegation that is signed with rsa_pss_rsae, which RFC 9345 forbids for delegated keys only.
  describe.each<[string, KeySpec]>([
    ['P-256', SPECS['P-256']],
    ['P-384', { type: 'ec', curve: 'secp384r1' }],
  ])('a delegated credential by a certificate for %s', (_what, certificateKey) => {
    test.each<[string, KeySpec]>([
      ['P-256', SPECS['P-256']],
      ['P-384', { type: 'ec', curve: 'secp384r1' }],
      ['P-521', { type: 'ec', curve: 'secp521r1' }],
    ])('for a key on %s', async (_curve, key) => {
      const own = await delegating(certificateKey, key);
      const server = await listen({ credentials: [own] });
      const program = visit(server, '-B');
      program.write('hello\n');
      const link = await server.next();
      expect((await link.secure).localDelegation).toBeDefined();
      await link.expect('hello\n');
      await program.expect(/hello/);
    });
  });

  test('that does not know them gets the certificate’s own signature', async () => {
    const server = await listen({ credentials: [await delegating(SPECS['P-256'], SPECS['P-256'])] });
    const program = visit(server);
    program.write('hello\n');
    const link = await server.next();
    expect((await link.secure).localDelegation).toBeUndefined();
    await link.expect('hello\n');
  });

  test('refuses one that was changed', async () => {
    const own = await delegating(SPECS['P-256'], SPECS['P-256']);
    const [good] = own.delegatedCredentials!;
    const delegation = { ...good!.signed.delegation, validTime: good!.signed.delegation.validTime - 60 };
    const bad = { ...good!, signed: { ...good!.signed, delegation } };
    const server = await listen({ credentials: [{ ...own, delegatedCredentials: [bad] }] });
    visit(server, '-B');
    const link = await server.next();
    expect(await link.over).toMatchObject({ code: 'alert-received', receivedAlert: 'illegal_parameter' });
  });
});

const TRUST = () => ['--x509cafile', identities.ca, '--verify-hostname', 'localhost'];

async function serve(args: readonly string[]): Promise<number> {
  const { port } = await gnutlsServ(undefined, ...args);
  return port;
}

function connect(port: number, options: Partial<ClientOptions>): Link {
  const verifyCertificate = identities.verifier();
  return connectLink(port, clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));
}

async function echo(link: Link): Promise<void> {
  link.send('hello\n');
  await link.expect('hello\n');
}

function listen(options: Partial<ServerOptions>): Promise<LinkServer> {
  return listenLinks(serverConfig({ provider: nodeCrypto, credentials: [identity.credential], ...options }));
}

async function greet(server: LinkServer, args: readonly string[]): Promise<Link> {
  const sni = ['--sni-hostname', 'localhost'];
  const program = new Program('gnutls-cli', ['--port', String(server.port), ...sni, ...args, '127.0.0.1']);
  const link = await server.next();
  await link.secure;
  await program.expect(/Simple Client Mode/);
  program.write('hello\n');
  await link.expect('hello\n');
  await program.expect(/^hello$/m);
  return link;
}

/** Bytes that came from a socket are a Buffer's. */
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}

function run(program: Parameters<typeof requireProgram>[0], ...args: readonly string[]): void {
  execFileSync(requireProgram(program), args, { stdio: 'pipe' });
}
