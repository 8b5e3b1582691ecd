import type { CryptoProvider } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { alpn } from '../extensions/alpn.ts';
import { serverCertificateType } from '../extensions/certificate-type.ts';
import { keyShare } from '../extensions/key-share.ts';
import { signatureAlgorithms, supportedGroups } from '../extensions/negotiation.ts';
import { maxFragmentLength, recordSizeLimit } from '../extensions/record-size.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13, type WritableClientHello } from '../testing/puppet-client13.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';

// A server says nothing, and makes no key, before it knows that the handshake can go on.

const pki = new TestPki(nodeCrypto);
const credentials = [pki.server()];

/** Counts the key exchanges that are begun. */
function counting(): { provider: CryptoProvider; keys: () => number } {
  let keys = 0;
  const provider = Object.create(nodeCrypto) as CryptoProvider;
  Object.defineProperty(provider, 'keyAgreement', {
    value: (name: never) => {
      const agreement = nodeCrypto.keyAgreement(name)!;
      return {
        ...agreement,
        generate: () => {
          keys++;
          return agreement.generate();
        },
      };
    },
  });
  return { provider, keys: () => keys };
}

type Change = (hello: WritableClientHello) => unknown;
type Case = readonly [what: string, change: Change, code: string, options?: Partial<ServerOptions>];
const named = (cases: readonly Case[]) =>
  cases.map(([what, change, code, options = {}]) => ({ what, change, code, options }));

const BOTH: readonly Case[] = [
  [
    'a signature that fits',
    (h) => h.extensions.set(signatureAlgorithms, [0x0804]),
    'no-common-signature-scheme',
  ],
  ['a protocol', (h) => h.extensions.set(alpn, ['imap']), 'no-common-protocol', { alpnProtocols: ['h2'] }],
  [
    'a name that is served',
    (h) => h.extensions.set(serverName, serverNamesFor('other.example')),
    'no-certificate-for-name',
    { credentials: () => [] },
  ],
  [
    'a name that is wanted',
    (h) => h.extensions.set(serverName, serverNamesFor('other.example')),
    'no-certificate-for-name',
    { serverNames: ['server.example'] },
  ],
  ['a record limit that can be', (h) => h.extensions.set(recordSizeLimit, 63), 'illegal-parameter'],
  ['a fragment length that can be', (h) => h.extensions.set(maxFragmentLength, 9), 'illegal-parameter'],
  ['a certificate type', (h) => h.extensions.set(serverCertificateType, [1]), 'no-common-certificate-type'],
];
const ONLY_13: readonly Case[] = [
  ['signature_algorithms', (h) => h.extensions.delete(signatureAlgorithms), 'missing-extension'],
  ['a suite', (h) => Object.assign(h, { cipherSuites: [0x1399] }), 'no-common-cipher-suite'],
  ['a group', (h) => h.extensions.set(supportedGroups, [0x0999]).set(keyShare, []), 'no-common-group'],
];

const configOf = (provider: CryptoProvider, options: Partial<ServerOptions> = {}) =>
  serverConfig({ provider, credentials, ...options });

function saidNothing(p: { messages: readonly unknown[]; changeCipherSpecs: number; end: TestEnd }): boolean {
  return p.messages.length === 0 && p.changeCipherSpecs === 0;
}

describe('in TLS 1.3, a hello without', () => {
  test.each(named([...BOTH, ...ONLY_13]))('$what', ({ change, code, options }) => {
    const { provider, keys } = counting();
    const p = new PuppetClient13(nodeCrypto, serverEnd(configOf(provider, options)), pki.client());
    p.sendHello(change);
    expect(outcomeOf(p)).toEqual(refused(code));
    expect([saidNothing(p), keys()]).toEqual([true, 0]);
  });

  // Of EncryptedExtensions nothing is known before a second hello may ask for it.
  test.each(named([...BOTH.slice(0, 4), ...ONLY_13]))('$what, nor a share', ({ change, code, options }) => {
    const { provider, keys } = counting();
    const p = new PuppetClient13(nodeCrypto, serverEnd(configOf(provider, options)), pki.client());
    p.sendHello((h) => {
      h.extensions.set(keyShare, []);
      change(h);
    });
    expect(outcomeOf(p)).toEqual(refused(code));
    expect([saidNothing(p), keys()]).toEqual([true, 0]);
  });

  test('a credential, when that is known later', async () => {
    const { provider, keys } = counting();
    const config = configOf(provider, { credentials: async () => [pki.server('p384')] });
    const p = new PuppetClient13(nodeCrypto, serverEnd(config), pki.client());
    p.sendHello((h) => h.extensions.set(signatureAlgorithms, [0x0403]));
    expect([saidNothing(p), p.end.connection.state]).toEqual([true, 'handshaking']);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect(outcomeOf(p)).toEqual(refused('no-common-signature-scheme'));
    expect([saidNothing(p), keys()]).toEqual([true, 0]);
  });
});

describe('in TLS 1.2, a hello without', () => {
  test.each(named(BOTH))('$what', ({ change, code, options }) => {
    const { provider, keys } = counting();
    const p = new PuppetClient12(nodeCrypto, serverEnd(configOf(provider, options)), pki.client());
    p.sendHello(change);
    expect(outcomeOf(p)).toEqual(refused(code));
    expect([saidNothing(p), keys()]).toEqual([true, 0]);
  });
});

test('a retry asks the application once', () => {
  const asked: string[] = [];
  const config = configOf(nodeCrypto, {
    groups: ['secp256r1'],
    credentials: () => {
      asked.push('credential');
      return [...credentials];
    },
    alpnProtocols: () => {
      asked.push('protocol');
      return 'h2';
    },
  });
  const { client, server } = new Pair(
    clientEnd(
      clientConfig({
        ...{ provider: nodeCrypto, verifyCertificate: pki.verifier(), alpnProtocols: ['h2'] },
        groups: ['x25519', 'secp256r1'],
      }),
    ),
    serverEnd(config),
  ).pump();
  expect([client.errors, server.errors, server.info.helloRetryRequest]).toEqual([[], [], true]);
  expect([server.info.alpnProtocol, asked]).toEqual(['h2', ['protocol', 'credential']]);
});
