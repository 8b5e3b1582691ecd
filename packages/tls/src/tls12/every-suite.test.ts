import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { legacy } from '../legacy/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { CIPHER_SUITES, type CipherSuite, isSuite13, suiteAvailable, suiteFits } from '../suites/index.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { SSL30, VERSIONS, type VersionName } from '../versions.ts';

// Every suite in every version up to 1.2 that has it, between two of our own ends. Others are met in conformance/matrix.

const pki = new TestPki(nodeCrypto);
const KEY = { identity: utf8('Alice'), key: new Uint8Array(24).fill(7) };
/** Path validation takes no DSA keys at all. */
const anyCertificate = () => ({ accepted: true });
const DSA = ['dsa_sha256', 'ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256'];

function meet(
  suite: CipherSuite,
  version: VersionName,
  client: Partial<ClientOptions> = {},
  server: Partial<ServerOptions> = {},
): Pair {
  const common = {
    provider: nodeCrypto,
    legacy,
    dangerouslyAllowAnonymous: true,
    minVersion: version,
    maxVersion: version,
    cipherSuites: [suite.name],
    ...(suite.authentication === 'dsa' ? { signatureSchemes: DSA } : {}),
  } as const;
  const key = { rsa: 'rsa', dsa: 'dsa', ecdsa: 'p256', any: 'p256', psk: 'p256', anon: 'p256' } as const;
  return new Pair(
    clientEnd(
      clientConfig({
        ...common,
        verifyCertificate: suite.authentication === 'dsa' ? anyCertificate : pki.verifier(),
        psks: [KEY],
        ...client,
      }),
    ),
    serverEnd(
      serverConfig({
        ...common,
        credentials: [pki.server(key[suite.authentication])],
        findPsk: ({ identity }) => (identity.length === 5 ? KEY : undefined),
        ...server,
      }),
    ),
    // As sockets have them: a Buffer's `slice` is no copy.
    (bytes) => [Buffer.from(bytes)],
  ).pump();
}

/** Both agree, and records of many lengths arrive both ways. */
function expectSecured(pair: Pair, suite: CipherSuite, version: VersionName): void {
  const { client, server } = pair;
  expect([...client.errors, ...server.errors].map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
  expect(client.info).toMatchObject({ version, cipherSuite: { name: suite.name } });
  expect(client.info.group?.name).toBe(server.info.group?.name);
  expect(client.info.extendedMasterSecret).toBe(VERSIONS[version] !== SSL30);
  expect(client.secrets).toEqual(server.secrets);
  expect(client.info.pskIdentity).toEqual(suite.keyExchange.endsWith('PSK') ? KEY.identity : undefined);
  expect(server.info.pskIdentity).toEqual(client.info.pskIdentity);
  const lengths = [1, 2, 11, 12, 13, 15, 16, 17, 255, 256, 257, 16_383, 16_384, 40_000];
  for (const length of lengths) {
    const data = new Uint8Array(length).map((_, i) => i * 31 + length);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      to.data.length = 0;
      from.connection.send(data);
      pair.pump();
      expect(Buffer.concat(to.data).equals(data)).toBe(true);
    }
  }
  client.connection.close();
  pair.pump();
  expect([client.connection.state, server.connection.state]).toEqual(['closed', 'closed']);
}

const versions = ['TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;
const suites = CIPHER_SUITES.filter((suite) => !isSuite13(suite) && suiteAvailable(suite, nodeCrypto));

describe.each(versions)('%s', (version) => {
  const fitting = suites.filter((suite) => suiteFits(suite, VERSIONS[version]));
  test('has suites', () => expect(fitting.length).toBeGreaterThan(10));

  test.each(fitting)('$name', (suite) => {
    expectSecured(meet(suite, version), suite, version);
    if (suite.cipher.kind !== 'cbc') return;
    // With the MAC inside, too.
    const plain = meet(suite, version, {}, { encryptThenMac: false });
    expectSecured(plain, suite, version);
  });
});
