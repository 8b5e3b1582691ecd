import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { pinnedKeys, rawPublicKeyCredential } from '../certificates/raw-public-key.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { deflate } from '../legacy/compression.ts';
import { legacy } from '../legacy/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { CIPHER_SUITES } from '../suites/index.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

// Renegotiation together with what else a connection can have.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const psk = { identity: Uint8Array.of(1), key: new Uint8Array(32).fill(3) };
const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

interface Both {
  readonly both?: object;
  readonly client?: Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
}

async function renegotiates({ both = {}, client = {}, server = {} }: Both): Promise<Pair> {
  const common = { provider: nodeCrypto, renegotiation: true, maxVersion: 'TLSv1.2', ...both } as const;
  const pair = new Pair(
    clientEnd(clientConfig({ ...common, verifyCertificate, ...client })),
    serverEnd(serverConfig({ ...common, verifyCertificate, credentials: [pki.server()], ...server })),
  );
  await pair.settle();
  for (const begin of [pair.client, pair.server]) {
    begin.connection.renegotiate();
    pair.client.connection.send(bytes(`${'c'.repeat(2000)} `));
    pair.server.connection.send(bytes(`${'s'.repeat(2000)} `));
    await pair.settle();
  }
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  expect([pair.client.changes.length, pair.server.changes.length]).toEqual([2, 2]);
  expect(pair.server.text).toBe(`${'c'.repeat(2000)} `.repeat(2));
  expect(pair.client.text).toBe(`${'s'.repeat(2000)} `.repeat(2));
  expect(pair.client.changes[1]!.cipherSuite).toBe(pair.client.info.cipherSuite);
  return pair;
}

const KINDS = [
  'ECDHE_ECDSA',
  'ECDHE_RSA',
  'DHE_RSA',
  'RSA',
  'PSK',
  'ECDHE_PSK',
  'DHE_PSK',
  'RSA_PSK',
  'DH_anon',
];

describe.each(KINDS)('with key exchange %s', (kind) => {
  const suites = CIPHER_SUITES.filter(
    ({ name }) =>
      name.startsWith(`TLS_${kind}_WITH_AES_128_GCM`) || name === `TLS_${kind}_WITH_AES_128_CBC_SHA`,
  ).map(({ name }) => name);

  test.each(suites)('%s', async (name) => {
    const credentials = [pki.server(kind.includes('RSA') ? 'rsa' : 'p256')];
    await renegotiates({
      both: { legacy, cipherSuites: [name], dangerouslyAllowAnonymous: kind === 'DH_anon' },
      client: kind.includes('PSK') ? { psks: [psk] } : {},
      server: kind.includes('PSK') ? { findPsk: () => psk, credentials } : { credentials },
    });
  });
});

describe('with', () => {
  test('everything that can take time taking time', async () => {
    const own = pki.server();
    const wait = async <T>(value: T): Promise<T> => value;
    const sign: typeof own.sign = async (algorithm, data) => own.sign(algorithm, data);
    await renegotiates({
      client: {
        verifyCertificate: async (ask) => verifyCertificate(ask),
        credentials: () => wait([pki.client()]),
      },
      server: {
        credentials: () => wait([{ ...own, sign }]),
        clientCertificate: 'require',
        verifyCertificate: async (ask) => verifyCertificate(ask),
        alpnProtocols: () => wait('h2'),
      },
    });
  });

  test.each([
    ['encrypt_then_mac', { cipherSuites: ['ECDHE-ECDSA-AES256-SHA384'] }, {}],
    ['without it', { cipherSuites: ['ECDHE-ECDSA-AES256-SHA384'], encryptThenMac: false }, {}],
    ['record_size_limit', { recordSizeLimit: 300 }, {}],
    ['max_fragment_length', {}, { requestMaxFragmentLength: 512 }],
    ['GREASE, padding and another order', {}, { grease: true, helloPadding: 512, extensionOrder: 'shuffle' }],
    ['ALPN', {}, { alpnProtocols: ['h2', 'x'] }],
    ['DEFLATE', { legacy, dangerousCompression: deflate }, {}],
  ] as const)('%s', async (_what, both, client) => {
    const pair = await renegotiates({
      both: both as object,
      client: client as object,
      server: 'alpnProtocols' in client ? { alpnProtocols: ['x'] } : {},
    });
    const [before, after] = [pair.client.info, pair.client.changes[1]!];
    expect(after.recordLimits).toEqual(before.recordLimits);
    expect(after.alpnProtocol).toBe(before.alpnProtocol);
  });

  test('raw public keys, which must stay the same, too', async () => {
    const keys = ['p256', 'p384'].map((_, i) =>
      rawPublicKeyCredential(
        nodeCrypto,
        nodeCrypto.generateKey({ type: 'ec', curve: i === 0 ? 'secp256r1' : 'secp384r1' }),
      ),
    );
    const client = { verifyRawPublicKey: pinnedKeys(keys.map((key) => key.rawPublicKey!)) };
    const pair = await renegotiates({ client, server: { credentials: [keys[0]!] } });
    expect(pair.client.changes[1]!.peerRawPublicKey).toEqual(keys[0]!.rawPublicKey);
    let times = 0;
    const credentials = () => [keys[Math.min(times++, 1)]!];
    const options = { provider: nodeCrypto, renegotiation: true, maxVersion: 'TLSv1.2' } as const;
    const changing = new Pair(
      clientEnd(clientConfig({ ...options, verifyCertificate, ...client })),
      serverEnd(serverConfig({ ...options, credentials })),
    ).pump();
    changing.client.connection.renegotiate();
    changing.pump();
    expect(changing.client.errors.map(({ code }) => code)).toEqual(['peer-changed']);
  });
});

test('a server that verifies raw public keys only can ask for one later', async () => {
  const key = nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });
  const own = rawPublicKeyCredential(nodeCrypto, key);
  const common = { provider: nodeCrypto, renegotiation: true, maxVersion: 'TLSv1.2' } as const;
  const verifyRawPublicKey = pinnedKeys([key.publicKey.spki]);
  const pair = new Pair(
    clientEnd(clientConfig({ ...common, verifyCertificate, credentials: [own] })),
    serverEnd(serverConfig({ ...common, verifyRawPublicKey, credentials: [pki.server()] })),
  ).pump();
  pair.server.connection.requestClientCertificate({ required: true });
  await pair.settle();
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  expect(pair.server.changes[0]!.peerRawPublicKey).toEqual(key.publicKey.spki);
});

describe('encrypt_then_mac is not given up (RFC 7366 §3.1)', () => {
  const CBC = 'ECDHE-ECDSA-AES128-SHA256';
  const GCM = 'ECDHE-ECDSA-AES128-GCM-SHA256';
  const common = { provider: nodeCrypto, renegotiation: true, maxVersion: 'TLSv1.2' } as const;

  /** Two sides that are connected, and then are of another mind. */
  function changed(
    before: { readonly client?: object; readonly server?: object },
    after: { readonly client?: object; readonly server?: object },
    cipherSuites: readonly string[] = [CBC],
  ): Pair {
    const client = clientConfig({ ...common, verifyCertificate, cipherSuites, ...before.client });
    const server = serverConfig({ ...common, credentials: [pki.server()], cipherSuites, ...before.server });
    const pair = new Pair(clientEnd(client), serverEnd(server)).pump();
    Object.assign(client, after.client);
    Object.assign(server, after.server);
    pair.client.connection.renegotiate();
    return pair.pump();
  }
  const OFF = { encryptThenMac: false };
  const codes = ({ client, server }: Pair) => [client, server].map(({ errors }) => errors[0]?.code);

  test('by a client', () => {
    expect(codes(changed({}, { client: OFF }))).toEqual(['alert-received', 'encrypt-then-mac-dropped']);
  });

  test('by a server, of its own accord', () => {
    const pair = changed({}, { server: OFF });
    expect(codes(pair)).toEqual(['alert-received', 'encrypt-then-mac-dropped']);
    expect(pair.client.errors[0]!.receivedAlert).toBe('handshake_failure');
  });

  test('but may be taken up', () => {
    const pair = changed({ client: OFF }, { client: { encryptThenMac: true } });
    expect([codes(pair), pair.client.changes.length]).toEqual([[undefined, undefined], 1]);
  });

  test('and an AEAD has no use for it', () => {
    const pair = changed({}, { client: OFF }, [GCM]);
    expect([codes(pair), pair.client.changes.length]).toEqual([[undefined, undefined], 1]);
  });
});
