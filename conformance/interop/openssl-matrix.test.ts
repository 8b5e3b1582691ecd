import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig, groupByName, serverConfig } from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity, KEY_TYPES, type KeyType } from './support/identities.ts';
import { connectLink, listenLinks } from './support/link.ts';
import {
  EVERY_CIPHER,
  EVERY_GROUP,
  GROUPS,
  SUITES_13,
  sClient,
  sServer,
  suites12,
} from './support/openssl.ts';

// Every suite with every group and every type of key that OpenSSL 3.0 and we both have.

cleanUpAfterTests();

let identities: Identities;
let identity: Record<KeyType, Identity>;
beforeAll(() => {
  identities = new Identities();
  identity = Object.fromEntries(KEY_TYPES.map((type) => [type, identities.server(type)])) as typeof identity;
});

const isRsa = (type: KeyType): boolean => type.startsWith('RSA');
const suitesFor = (version: string, type: KeyType): readonly string[] =>
  version === 'TLSv1.3' ? SUITES_13 : suites12(isRsa(type) ? 'RSA' : 'ECDSA');

/** What signs in TLS 1.3, where the scheme is bound to the key; in 1.2 ECDSA keys may take any hash. */
const SCHEME: Record<KeyType, RegExp> = {
  'P-256': /^ecdsa_secp256r1_sha256$/,
  'P-384': /^ecdsa_secp384r1_sha384$/,
  'P-521': /^ecdsa_secp521r1_sha512$/,
  RSA: /^rsa_pss_rsae_/,
  'RSA-PSS': /^rsa_pss_pss_/,
  Ed25519: /^ed25519$/,
  Ed448: /^ed448$/,
};

const cases = (['TLSv1.3', 'TLSv1.2'] as const).flatMap((version) =>
  KEY_TYPES.map((type) => [version, type] as const),
);

withPrograms('openssl')('OpenSSL as the server', () => {
  const ports = new Map<KeyType, number>();
  beforeAll(async () => {
    const start = async (type: KeyType) => {
      const { port } = await sServer(identity[type], '-rev', ...EVERY_CIPHER, ...EVERY_GROUP);
      ports.set(type, port);
    };
    await Promise.all(KEY_TYPES.map(start));
  });

  test.each(cases)('%s: every suite and group with a key of type %s', async (version, type) => {
    for (const suite of suitesFor(version, type)) {
      for (const group of GROUPS) {
        const config = clientConfig({
          provider: nodeCrypto,
          verifyCertificate: identities.verifier(),
          cipherSuites: [suite],
          // In TLS 1.2 the list also says which curves the server's ECDSA key may be on.
          groups: [group, ...(/^P-/.test(type) && type !== group ? [type] : [])],
        });
        const link = connectLink(ports.get(type)!, config);
        const info = await link.secure;
        const what = `${suite}, ${group}`;
        expect(info.cipherSuite.opensslName, what).toBe(suite);
        // OpenSSL follows the client's order of groups unless told otherwise.
        expect(info.group, what).toBe(groupByName(group));
        expect(info.version).toBe(version);
        if (version === 'TLSv1.3') expect(info.serverSignatureScheme?.name, what).toMatch(SCHEME[type]);
        expect(info.verifiedPath).toHaveLength(3);
        link.send('drawer\n');
        await link.expect('reward\n');
        link.close();
      }
    }
  });
});

withPrograms('openssl')('OpenSSL as the client', () => {
  /** Processes are slow to start, so not the whole product: every suite with every key, and the groups in turn. */
  test.each(cases)('%s: every suite with a key of type %s, the groups in turn', async (version, type) => {
    const offset = KEY_TYPES.indexOf(type);
    const meet = async (suite: string, index: number): Promise<void> => {
      const group = GROUPS[(index + offset) % GROUPS.length]!;
      const what = `${suite}, ${group}`;
      const server = await listenLinks(
        serverConfig({
          provider: nodeCrypto,
          credentials: [identity[type].credential],
          cipherSuites: [suite],
          groups: [group],
        }),
      );
      const link = server.next();
      const program = sClient(
        identities,
        server.port,
        ...EVERY_CIPHER,
        ...['-groups', [group, ...GROUPS.filter((other) => other !== group)].join(':')],
        version === 'TLSv1.3' ? '-tls1_3' : '-tls1_2',
      );
      program.write('hello\n');
      const info = await (await link).secure;
      expect(info.cipherSuite.opensslName, what).toBe(suite);
      expect(info.group, what).toBe(groupByName(group));
      if (version === 'TLSv1.3') expect(info.serverSignatureScheme?.name, what).toMatch(SCHEME[type]);
      await program.expect(/hello\n/);
      program.endInput();
      expect(await program.exit(), what).toBe(0);
      expect(program.output).toContain(`New, ${version}, Cipher is ${suite}`);
      expect(program.output).toContain('Verify return code: 0 (ok)');
      expect(await (await link).over, what).toBeUndefined();
    };
    const suites = suitesFor(version, type);
    // Two processes at a time.
    for (let i = 0; i < suites.length; i += 2)
      await Promise.all(suites.slice(i, i + 2).map((suite, j) => meet(suite, i + j)));
  });
});
