import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { serverConnection } from '../connection/endpoint.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import { serverHello } from '../messages/server-hello.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

// Java 11 is told by what its hello looks like, so the client here is dressed up as one. BoringSSL's runner has the real ones.

const pki = new TestPki(nodeCrypto);
const schemes = ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'];
const JAVA11: Partial<ClientOptions> = {
  extensionOrder: [0, 5, 10, 11, 13, 50, 16, 17, 23, 43, 45, 51, 0xff01],
  cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  groups: ['secp256r1', 'secp384r1', 'secp521r1'],
  signatureSchemes: schemes,
  certificateSignatureSchemes: schemes,
  sessionTickets: false,
  encryptThenMac: false,
};
/** The last bytes of the server's random: BoringSSL's mark for Java 11, and that of RFC 9846 §4.2.3. */
const JAVA11_MARK = 'edbfb4a8c24710ff';
const DOWNGRADE_MARK = '444f574e47524401';

function meet(client: Partial<ClientOptions>, options: Partial<ServerOptions>) {
  let mark = '';
  const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options });
  const server = new TestEnd((events) =>
    serverConnection(config, {
      events,
      observer: {
        message(direction, message) {
          if (direction === 'sent' && message.type === serverHello.type)
            mark = toHex(decodeMessage(serverHello, message).random.subarray(24));
        },
      },
    }),
  );
  const verifyCertificate = pki.verifier();
  const end = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...client }));
  const pair = new Pair(end, server).pump();
  return { pair, mark: () => mark };
}

const versionOf = (pair: Pair) => [pair.client, pair.server].map(({ secured }) => secured[0]?.version);
const workaround = { java11Workaround: true };

describe('with the workaround for Java 11', () => {
  test('such a client gets TLS 1.2, and a mark that it does not know', () => {
    const { pair, mark } = meet(JAVA11, workaround);
    expect(mark()).toBe(JAVA11_MARK);
    // Our client does know it.
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['downgrade-detected']);
  });

  test.each<[string, Partial<ClientOptions>]>([
    [
      'that knows ChaCha20-Poly1305',
      { cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'] },
    ],
    ['that knows x25519', { groups: ['secp256r1', 'x25519'] }],
    ['that knows Ed25519', { signatureSchemes: [...schemes, 'ed25519'] }],
    ['with another order', { extensionOrder: [0, 5, 10, 11, 13, 50, 16, 17, 23, 45, 43, 51, 0xff01] }],
    ['with another extension', { requestTimestamps: true }],
    ['that does not say what it verifies in certificates', { certificateSignatureSchemes: undefined }],
    ['that does not know TLS 1.2', { minVersion: 'TLSv1.3', cipherSuites: ['TLS_AES_128_GCM_SHA256'] }],
  ])('a client %s gets TLS 1.3', (_, change) => {
    const { pair, mark } = meet({ ...JAVA11, ...change }, workaround);
    expect(versionOf(pair)).toEqual(['TLSv1.3', 'TLSv1.3']);
    expect([JAVA11_MARK, DOWNGRADE_MARK]).not.toContain(mark());
  });

  test('a server that has no TLS 1.2, or none newer, does as always', () => {
    expect(versionOf(meet(JAVA11, { ...workaround, minVersion: 'TLSv1.3' }).pair)).toEqual([
      'TLSv1.3',
      'TLSv1.3',
    ]);
    const { pair, mark } = meet(JAVA11, { ...workaround, maxVersion: 'TLSv1.2' });
    expect(versionOf(pair)).toEqual(['TLSv1.2', 'TLSv1.2']);
    expect([JAVA11_MARK, DOWNGRADE_MARK]).not.toContain(mark());
  });
});

test('without the workaround, it gets TLS 1.3', () => {
  expect(versionOf(meet(JAVA11, {}).pair)).toEqual(['TLSv1.3', 'TLSv1.3']);
});
