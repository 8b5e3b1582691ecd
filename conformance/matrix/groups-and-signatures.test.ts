import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig, groupByName, serverConfig, signatureSchemeByName } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { gnutlsServ } from '../interop/support/gnutls.ts';
import { Identities, type Identity, KEY_TYPES, type KeyType } from '../interop/support/identities.ts';
import { connectLink, type Link, listenLinks } from '../interop/support/link.ts';
import { sClient, sServer } from '../interop/support/openssl.ts';
import { Program } from '../interop/support/program.ts';
import { withPrograms } from '../support/programs.ts';

// Every group, and every signature with every kind of key, that OpenSSL, GnuTLS and we have, both ways.

cleanUpAfterTests();

const CURVES = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'x448'];
const FFDHE = ['ffdhe2048', 'ffdhe3072', 'ffdhe4096', 'ffdhe6144', 'ffdhe8192'];
const BRAINPOOL = ['brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'];

/** Schemes by the key that can make them. Those with a curve in their name mean any curve in TLS 1.2. */
const SCHEMES: Readonly<Record<KeyType, readonly string[]>> = {
  'P-256': ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512', 'ecdsa_sha1'],
  'P-384': ['ecdsa_secp384r1_sha384', 'ecdsa_secp256r1_sha256'],
  'P-521': ['ecdsa_secp521r1_sha512', 'ecdsa_secp256r1_sha256'],
  RSA: [
    ...['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'],
    ...['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512', 'rsa_pkcs1_sha1'],
  ],
  'RSA-PSS': ['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'],
  Ed25519: ['ed25519'],
  Ed448: ['ed448'],
};
const OWN_CURVE: Partial<Record<KeyType, string>> = {
  'P-256': 'ecdsa_secp256r1_sha256',
  'P-384': 'ecdsa_secp384r1_sha384',
  'P-521': 'ecdsa_secp521r1_sha512',
};

const groups = [
  ...[...CURVES, ...FFDHE].map((name) => ['TLSv1.3', name] as const),
  ...[...CURVES, ...BRAINPOOL].map((name) => ['TLSv1.2', name] as const),
];
const signatures = KEY_TYPES.flatMap((key) =>
  SCHEMES[key].flatMap((scheme) => [
    ...(isFor13(key, scheme) ? [['TLSv1.3', key, scheme] as const] : []),
    ['TLSv1.2', key, scheme] as const,
  ]),
);

/** RFC 9846 §4.3.3: no PKCS #1 v1.5, no SHA-1, and the curve of the key. */
function isFor13(key: KeyType, scheme: string): boolean {
  return !/pkcs1|sha1$/.test(scheme) && (OWN_CURVE[key] ?? scheme) === scheme;
}

let identities: Identities;
const servers = new Map<KeyType, Identity>();
beforeAll(() => {
  identities = new Identities('Matrix');
  for (const type of KEY_TYPES) servers.set(type, identities.server(type));
});

type Ours = { version: 'TLSv1.3' | 'TLSv1.2'; groups?: string[]; schemes?: string[]; suites?: string[] };

const common = ({ version, groups, schemes, suites }: Ours) => ({
  provider: nodeCrypto,
  legacy,
  minVersion: version,
  maxVersion: version,
  ...(groups ? { groups } : {}),
  ...(schemes ? { signatureSchemes: schemes } : {}),
  ...(suites ? { cipherSuites: suites } : {}),
});
const ourClient = (ours: Ours) =>
  clientConfig({ ...common(ours), verifyCertificate: () => ({ accepted: true }) });
const ourServer = (ours: Ours, key: KeyType) =>
  serverConfig({ ...common(ours), credentials: [servers.get(key)!.credential] });

async function expectAgreed(link: Link, { version, groups, schemes }: Ours): Promise<void> {
  const info = await link.secure;
  expect(info.version).toBe(version);
  if (groups) expect(info.group).toBe(groupByName(groups[0]!));
  if (schemes) expect(info.serverSignatureScheme).toBe(signatureSchemeByName(schemes[0]!));
}

/** The certificate's signatures are ECDSA on P-256 whatever the handshake's is, and so must be among the schemes. */
const withChain = (scheme: string): string[] => [...new Set([scheme, 'ecdsa_secp256r1_sha256'])];

withPrograms('openssl')('OpenSSL', () => {
  const FLAG = { 'TLSv1.3': '-tls1_3', 'TLSv1.2': '-tls1_2' } as const;
  const EVERYTHING = ['-cipher', 'ALL:@SECLEVEL=0'];
  const sigalgs = (scheme: string): string[] => ['-sigalgs', withChain(OPENSSL[scheme] ?? scheme).join(':')];

  describe('as the server', () => {
    const meet = async (ours: Ours, key: KeyType, ...args: string[]): Promise<void> => {
      const { program, port } = await sServer(
        servers.get(key)!,
        '-rev',
        FLAG[ours.version],
        ...EVERYTHING,
        ...args,
      );
      const link = connectLink(port, ourClient(ours));
      await expectAgreed(link, ours);
      link.send('drawer\n');
      await link.expect('reward\n');
      await program.stop();
    };

    test.each(groups)('%s: group %s', (version, group) =>
      // Up to TLS 1.2 the curve of an ECDSA key would have to be offered, too; an RSA key has none.
      meet({ version, groups: [group] }, 'RSA', '-groups', group),
    );
    test.each(signatures)('%s: key %s, signature %s', (version, key, scheme) =>
      meet({ version, schemes: withChain(scheme) }, key, ...sigalgs(scheme)),
    );
  });

  describe('as the client', () => {
    const meet = async (ours: Ours, key: KeyType, ...args: string[]): Promise<void> => {
      const server = await listenLinks(ourServer(ours, key));
      const program = sClient(identities, server.port, FLAG[ours.version], ...EVERYTHING, ...args);
      program.write('drawer\n');
      await expectAgreed(await server.next(), ours);
      await program.expect(/drawer\n/);
      program.endInput();
      expect(await program.exit()).toBe(0);
    };

    test.each(groups)('%s: group %s', (version, group) =>
      meet({ version, groups: [group] }, 'RSA', '-groups', group),
    );
    test.each(signatures)('%s: key %s, signature %s', (version, key, scheme) =>
      meet({ version, schemes: withChain(scheme) }, key, ...sigalgs(scheme)),
    );
  });
});

/** OpenSSL has no name of the RFC's for these. */
const OPENSSL: Readonly<Record<string, string>> = {
  ecdsa_sha1: 'ECDSA+SHA1',
  rsa_pkcs1_sha1: 'RSA+SHA1',
};

/** GnuTLS has no Brainpool, and its finite fields are for DHE in TLS 1.2, too. */
const gnutlsGroups = [
  ...groups.filter(([, name]) => !name.startsWith('brainpool')),
  ...FFDHE.map((name) => ['TLSv1.2', name] as const),
];
/** Up to TLS 1.2 a suite says which kind of group is meant. */
const oursFor = (version: Ours['version'], group: string): Ours =>
  version === 'TLSv1.2' && group.startsWith('ffdhe')
    ? { version, groups: [group], suites: ['DHE-RSA-AES128-GCM-SHA256'] }
    : { version, groups: [group] };
const gnutlsPriority = (version: string, ...rest: string[]): string[] => [
  '--priority',
  ['NORMAL', '-VERS-ALL', `+VERS-${version.replace('v', '')}`, ...rest].join(':'),
];
const onlyGroup = (name: string): string[] => ['-GROUP-ALL', `+GROUP-${name.toUpperCase()}`];

withPrograms('gnutls-serv')('GnuTLS server', () => {
  describe('as the server', () => {
    const meet = async (ours: Ours, type: KeyType, ...rest: string[]): Promise<void> => {
      const priority = gnutlsPriority(ours.version, ...rest);
      const { program, port } = await gnutlsServ(servers.get(type)!, '--disable-client-cert', ...priority);
      const link = connectLink(port, ourClient(ours));
      await expectAgreed(link, ours);
      link.send('drawer\n');
      await link.expect('drawer\n');
      await program.stop();
    };

    test.each(gnutlsGroups)('%s: group %s', (version, group) =>
      meet(oursFor(version, group), 'RSA', ...onlyGroup(group)),
    );
    test.each(signatures)('%s: key %s, signature %s', (version, key, scheme) =>
      meet({ version, schemes: withChain(scheme) }, key, '+SIGN-RSA-SHA1', '+SIGN-ECDSA-SHA1'),
    );
  });
});

withPrograms('gnutls-cli')('GnuTLS client', () => {
  describe('as the client', () => {
    const meet = async (ours: Ours, key: KeyType, ...rest: string[]): Promise<void> => {
      const server = await listenLinks(ourServer(ours, key));
      const program = new Program('gnutls-cli', [
        ...['--port', String(server.port), '--x509cafile', identities.ca, '--sni-hostname', 'localhost'],
        ...['--verify-hostname', 'localhost', ...gnutlsPriority(ours.version, ...rest), '127.0.0.1'],
      ]);
      program.write('drawer\n');
      await expectAgreed(await server.next(), ours);
      await program.expect(/drawer\n/);
      program.endInput();
      expect(await program.exit()).toBe(0);
    };

    test.each(gnutlsGroups)('%s: group %s', (version, group) =>
      meet(oursFor(version, group), 'RSA', ...onlyGroup(group)),
    );
    test.each(signatures)('%s: key %s, signature %s', (version, key, scheme) =>
      meet({ version, schemes: withChain(scheme) }, key, '+SIGN-RSA-SHA1', '+SIGN-ECDSA-SHA1'),
    );
  });
});
