import type { CryptoProvider } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { GROUPS, groupFits } from '../groups/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { CIPHER_SUITES, isSuite13, suiteAvailable } from '../suites/index.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { KEYS, type KeyName, TestPki } from '../testing/pki.ts';
import { TLS12, TLS13 } from '../versions.ts';

// Every suite, group and kind of key, with both providers on both sides.

const pki = new TestPki(nodeCrypto);
const KEY_NAMES = Object.keys(KEYS) as KeyName[];
const GROUPS_13 = GROUPS.filter((group) => groupFits(group, TLS13));
const CURVES_12 = GROUPS.filter((group) => group.kind === 'curve' && groupFits(group, TLS12));
/** Bigger finite fields are slow and no different: `groups.test.ts` has them. */
const QUICK_13 = GROUPS_13.filter(({ name }) => !/ffdhe(?!2048)/.test(name));
const CERTIFICATE_CURVES = ['secp256r1', 'secp384r1', 'secp521r1'];
const has = (provider: CryptoProvider) => (group: (typeof GROUPS)[number]) => group.available(provider);

function meet(client: Partial<ClientOptions>, server: Partial<ServerOptions> & { key?: KeyName }): Pair {
  const { key = 'p256', ...serverOptions } = server;
  const clientProvider = client.provider ?? nodeCrypto;
  const serverProvider = server.provider ?? nodeCrypto;
  const pair = new Pair(
    clientEnd(
      clientConfig({ provider: clientProvider, verifyCertificate: pki.verifier(clientProvider), ...client }),
    ),
    serverEnd(
      serverConfig({
        provider: serverProvider,
        credentials: [pki.server(key, { provider: serverProvider })],
        ...serverOptions,
      }),
    ),
  );
  return pair.pump();
}

/** Both sides agree on everything, and data arrives as it was sent, both ways. */
function expectSecured(pair: Pair): void {
  const { client, server } = pair;
  expect(client.errors.concat(server.errors)).toEqual([]);
  expect(client.secured).toHaveLength(1);
  expect(server.secured).toHaveLength(1);
  for (const key of [
    'version',
    'cipherSuite',
    'group',
    'alpnProtocol',
    'resumed',
    'serverName',
    'serverSignatureScheme',
  ] as const)
    expect([key, client.info[key]]).toEqual([key, server.info[key]]);
  expect(client.info.finished.sent).toEqual(server.info.finished.received);
  expect(client.info.finished.received).toEqual(server.info.finished.sent);
  expect(client.secrets).toEqual(server.secrets);
  const exported = [client, server].map(({ connection }) =>
    connection.exportKeyingMaterial(40, 'EXPERIMENTAL test', Uint8Array.of(1)),
  );
  expect(exported[0]).toEqual(exported[1]);
  client.connection.send(Uint8Array.of(1, 2, 3));
  server.connection.send(Uint8Array.of(4, 5));
  pair.pump();
  expect(server.data).toEqual([Uint8Array.of(1, 2, 3)]);
  expect(client.data).toEqual([Uint8Array.of(4, 5)]);
}

const SUITES_13 = CIPHER_SUITES.filter(isSuite13).map((suite) => suite.name);
const SUITES_12 = CIPHER_SUITES.filter(
  (suite) =>
    suite.keyExchange === 'ECDHE' &&
    suite.cipher.kind === 'aead' &&
    !suite.isLegacy &&
    suiteAvailable(suite, nodeCrypto),
);
const fits = (suite: (typeof SUITES_12)[number], key: KeyName) =>
  (suite.authentication === 'rsa') === (key === 'rsa');

describe('TLS 1.3', () => {
  test.each(SUITES_13)('%s with every group and every key', (suite) => {
    for (const group of QUICK_13.filter(has(nodeCrypto))) {
      for (const key of KEY_NAMES) {
        const options = { cipherSuites: [suite], groups: [group.name] };
        const pair = meet(options, { ...options, key });
        expectSecured(pair);
        expect(pair.client.info).toMatchObject({
          version: 'TLSv1.3',
          cipherSuite: { name: suite },
          group: { name: group.name },
        });
      }
    }
  });

  test('RSA keys sign with PSS', () => {
    expect(meet({}, { key: 'rsa' }).client.info.serverSignatureScheme!.name).toBe('rsa_pss_rsae_sha256');
  });
});

describe('TLS 1.2', () => {
  test.each(SUITES_12)('$name with every group and every key that fits', (suite) => {
    for (const group of CURVES_12.filter(has(nodeCrypto))) {
      for (const key of KEY_NAMES.filter((name) => fits(suite, name))) {
        // The server decides on the group: the client must also offer the curve of the certificate.
        const cipherSuites = [suite.name];
        const groups = [group.name, ...CERTIFICATE_CURVES];
        const pair = meet({ cipherSuites, groups }, { cipherSuites, groups: [group.name], key });
        expectSecured(pair);
        expect(pair.client.info).toMatchObject({
          group: { name: group.name },
          version: 'TLSv1.2',
          cipherSuite: { name: suite.name },
          extendedMasterSecret: true,
        });
      }
    }
  });

  test.each(['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256', 'rsa_pkcs1_sha512'])(
    'RSA keys can sign with %s',
    (scheme) => {
      const pair = meet(
        { signatureSchemes: [scheme, 'ecdsa_secp256r1_sha256'], maxVersion: 'TLSv1.2' },
        { key: 'rsa' },
      );
      expectSecured(pair);
      expect(pair.client.info.serverSignatureScheme!.name).toBe(scheme);
    },
  );
});

describe('providers', () => {
  test.each([
    ['portable on both sides', portableCrypto, portableCrypto],
    ['a portable client', portableCrypto, nodeCrypto],
    ['a portable server', nodeCrypto, portableCrypto],
  ])('%s', (_what, clientProvider, serverProvider) => {
    const both = (group: (typeof GROUPS)[number]) => has(clientProvider)(group) && has(serverProvider)(group);
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      for (const key of KEY_NAMES)
        expectSecured(meet({ provider: clientProvider, maxVersion }, { provider: serverProvider, key }));
      for (const group of (maxVersion === 'TLSv1.3' ? QUICK_13 : CURVES_12).filter(both))
        expectSecured(
          meet(
            { provider: clientProvider, maxVersion, groups: [group.name, ...CERTIFICATE_CURVES] },
            { provider: serverProvider, groups: [group.name] },
          ),
        );
    }
    const common = CIPHER_SUITES.filter(
      (suite) =>
        (isSuite13(suite) || SUITES_12.includes(suite)) &&
        suiteAvailable(suite, clientProvider) &&
        suiteAvailable(suite, serverProvider),
    );
    for (const suite of common)
      expectSecured(
        meet(
          { provider: clientProvider, cipherSuites: [suite.name] },
          {
            provider: serverProvider,
            cipherSuites: [suite.name],
            key: suite.authentication === 'rsa' ? 'rsa' : 'p256',
          },
        ),
      );
  });
});

describe('choices', () => {
  test('TLS 1.2 shows no ECDSA certificate on a curve that the client did not offer (RFC 8422 §5.1)', () => {
    const client = { maxVersion: 'TLSv1.2', groups: ['x25519', 'secp256r1'] } as const;
    expectSecured(meet(client, { key: 'p256' }));
    const pair = meet(client, { key: 'p384' });
    expect(pair.server.errors[0]!.code).toBe('no-common-signature-scheme');
  });

  test('the best version both know', () => {
    expect(meet({}, {}).client.info.version).toBe('TLSv1.3');
    expect(meet({ maxVersion: 'TLSv1.2' }, {}).client.info.version).toBe('TLSv1.2');
    expect(meet({}, { maxVersion: 'TLSv1.2' }).client.info.version).toBe('TLSv1.2');
  });

  test('no version in common', () => {
    const pair = meet({ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' });
    expect(pair.server.errors[0]!.code).toBe('no-common-version');
    expect(pair.client.errors[0]).toMatchObject({
      code: 'alert-received',
      receivedAlert: 'protocol_version',
    });
  });

  test("the server's order of suites, or the client's", () => {
    const client = { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'] };
    expect(meet(client, {}).client.info.cipherSuite.name).toBe('TLS_AES_128_GCM_SHA256');
    expect(meet(client, { preferServerOrder: false }).client.info.cipherSuite.name).toBe(
      'TLS_CHACHA20_POLY1305_SHA256',
    );
  });

  // As with OpenSSL, whose SSL_OP_CIPHER_SERVER_PREFERENCE is about groups, too.
  describe.each([
    ['TLS 1.3, with shares', { keyShareGroups: ['secp384r1', 'x25519'] }],
    ['TLS 1.3, without shares', { keyShareGroups: [] }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ] as const)("the server's order of groups, or the client's: %s", (_what, options) => {
    const client = { groups: ['secp384r1', 'x25519', 'secp256r1'], ...options };
    const server = { groups: ['secp256r1', 'x25519', 'secp384r1'] };

    test.each([
      [undefined, 'keyShareGroups' in options && options.keyShareGroups.length > 0 ? 'x25519' : 'secp256r1'],
      [false, 'secp384r1'],
    ] as const)('preferServerOrder %s', (preferServerOrder, expected) => {
      const pair = meet(client, { ...server, preferServerOrder });
      expectSecured(pair);
      expect(pair.server.info.group?.name).toBe(expected);
      expect(pair.client.info.group?.name).toBe(expected);
    });

    test('what only one side has does not count', () => {
      const pair = meet(client, { groups: ['secp521r1', 'secp256r1'], preferServerOrder: false });
      expectSecured(pair);
      expect(pair.server.info.group?.name).toBe('secp256r1');
    });
  });

  test.each(
    QUICK_13.filter((group) => group.name !== 'x25519' && group.available(nodeCrypto)).map(
      ({ name }) => name,
    ),
  )('a retry for %s, of which the client gave no share', (group) => {
    const pair = meet({ groups: ['x25519', group] }, { groups: [group] });
    expectSecured(pair);
    expect(pair.client.info.helloRetryRequest).toBe(true);
    expect(pair.server.info.helloRetryRequest).toBe(true);
    expect(pair.client.log.filter((line) => line === 'sent client_hello')).toHaveLength(2);
  });

  test('several shares save the retry', () => {
    const pair = meet({ keyShareGroups: ['x25519', 'secp384r1'] }, { groups: ['secp384r1'] });
    expectSecured(pair);
    expect(pair.client.info.helloRetryRequest).toBe(false);
  });

  test('a share of what the server likes less is better than a retry', () => {
    const pair = meet({ groups: ['secp256r1', 'x25519'] }, { groups: ['x25519', 'secp256r1'] });
    expect(pair.client.info).toMatchObject({ group: { name: 'secp256r1' }, helloRetryRequest: false });
  });

  test.each(['TLSv1.3', 'TLSv1.2'] as const)('the first credential that fits, %s', (maxVersion) => {
    const credentials = [pki.server('rsa'), pki.server('ed25519'), pki.server('p256')];
    const scheme = (signatureSchemes: string[]) =>
      meet({ maxVersion, signatureSchemes }, { credentials }).client.info.serverSignatureScheme?.name;
    expect(scheme(['ecdsa_secp256r1_sha256', 'ed25519'])).toBe('ed25519');
    expect(scheme(['rsa_pss_rsae_sha384', 'ecdsa_secp256r1_sha256'])).toMatch(
      maxVersion === 'TLSv1.3' ? 'rsa' : /rsa|ecdsa/,
    );
  });

  test.each(['TLSv1.3', 'TLSv1.2'] as const)('application protocols, %s', (maxVersion) => {
    const alpn = (client: string[] | undefined, server: string[] | undefined) =>
      meet({ maxVersion, alpnProtocols: client }, { alpnProtocols: server });
    const agreed = alpn(['http/1.1', 'h2'], ['h2', 'http/1.1']);
    expectSecured(agreed);
    expect(agreed.client.info.alpnProtocol).toBe('h2');
    expect(alpn(undefined, ['h2']).client.info.alpnProtocol).toBeUndefined();
    expect(alpn(['h2'], undefined).client.info.alpnProtocol).toBeUndefined();
    const none = alpn(['imap'], ['h2']);
    expect(none.server.errors[0]!.code).toBe('no-common-protocol');
    expect(none.client.errors[0]!.receivedAlert).toBe('no_application_protocol');
  });

  test.each(['TLSv1.3', 'TLSv1.2'] as const)('a chooser of protocols, %s', (maxVersion) => {
    const chosen = (answer: string | null | undefined) =>
      meet({ maxVersion, alpnProtocols: ['imap'] }, { alpnProtocols: () => answer });
    expect(chosen('imap').client.info.alpnProtocol).toBe('imap');
    expect(chosen(undefined).server.errors[0]!.code).toBe('no-common-protocol');
    expect(chosen('h2').server.errors[0]!.code).toBe('internal-error');
    const without = chosen(null);
    expectSecured(without);
    expect(without.client.info.alpnProtocol).toBeUndefined();
  });

  test.each(['TLSv1.3', 'TLSv1.2'] as const)(
    'the certificate by name, at once or later, %s',
    async (maxVersion) => {
      for (const later of [false, true]) {
        const names: (string | undefined)[] = [];
        const pair = meet(
          { maxVersion },
          {
            credentials: ({ serverName }) => {
              names.push(serverName);
              const found = [pki.server()];
              return later ? Promise.resolve(found) : found;
            },
          },
        );
        expect(pair.server.connection.isBusy).toBe(later);
        expectSecured(await pair.settle());
        expect(names).toEqual(['server.example']);
      }
    },
  );

  test('no name goes out for an address', () => {
    const config = clientConfig({ provider: nodeCrypto, verifyCertificate: () => ({ accepted: true }) });
    for (const [host, expected] of [
      ['127.0.0.1', undefined],
      ['::1', undefined],
      ['Server.Example.', 'server.example'],
    ] as const) {
      const pair = new Pair(
        clientEnd(config, { host }),
        serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()] })),
      );
      expect(pair.pump().server.info.serverName).toBe(expected);
    }
  });

  test.each(['TLSv1.3', 'TLSv1.2'] as const)(
    'a stapled OCSP response and timestamps reach the client that asks, %s',
    (maxVersion) => {
      const ocspResponse = Uint8Array.of(48, 0);
      const staples = { ...pki.server(), ocspResponse };
      expect(meet({ maxVersion }, { credentials: [staples] }).client.info.ocspResponse).toEqual(ocspResponse);
      expect(
        meet({ maxVersion, requestOcsp: false }, { credentials: [staples] }).client.info.ocspResponse,
      ).toBeUndefined();
    },
  );

  test('a client that sends no key share is asked for one', () => {
    const pair = meet({ keyShareGroups: [] }, {});
    expectSecured(pair);
    expect(pair.client.info.helloRetryRequest).toBe(true);
  });

  test('a client up to TLS 1.2 offers no group of TLS 1.3', () => {
    const config = clientConfig({
      provider: nodeCrypto,
      verifyCertificate: () => ({ accepted: true }),
      maxVersion: 'TLSv1.2',
      groups: ['X25519MLKEM768', 'x25519'],
    });
    expect(config.groups.map(({ name }) => name)).toEqual(['x25519']);
  });

  test.each(['TLSv1.3', 'TLSv1.2'] as const)(
    'a credential signs with its own schemes, by its preference, and not with RSA PKCS#1 in 1.3: %s',
    (maxVersion) => {
      const signatureSchemes = ['rsa_pkcs1_sha512', 'rsa_pss_rsae_sha512', 'rsa_pss_rsae_sha256'];
      const pair = meet({ maxVersion }, { credentials: [{ ...pki.server('rsa'), signatureSchemes }] });
      expect(pair.client.info.serverSignatureScheme?.name).toBe(
        signatureSchemes[maxVersion === 'TLSv1.3' ? 1 : 0],
      );
    },
  );

  test('a credential whose schemes the peer cannot verify is passed over', () => {
    const signatureSchemes = ['ecdsa_sha1'];
    const pair = meet({}, { credentials: [{ ...pki.server(), signatureSchemes }, pki.server('rsa')] });
    expect(pair.client.info.serverSignatureScheme?.algorithm.name).toBe('rsa-pss');
  });

  test('extended master secret is left out only where both allow it', () => {
    const pair = meet(
      { maxVersion: 'TLSv1.2', allowNoExtendedMasterSecret: false },
      { allowNoExtendedMasterSecret: false },
    );
    expectSecured(pair);
    expect(pair.client.info.extendedMasterSecret).toBe(true);
  });
});
