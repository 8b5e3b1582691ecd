import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { alpn } from '../extensions/alpn.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { cookie } from '../extensions/cookie.ts';
import { keyShare } from '../extensions/key-share.ts';
import {
  signatureAlgorithms,
  signatureAlgorithmsCert,
  supportedGroups,
  supportedVersions,
} from '../extensions/negotiation.ts';
import { padding } from '../extensions/padding.ts';
import { preSharedKey, pskKeyExchangeModes } from '../extensions/pre-shared-key.ts';
import { GREASE_PSK_MODES, isGrease } from '../grease.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetServer12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

function client(options: Partial<ClientOptions> = {}, ends: Parameters<typeof clientEnd>[1] = {}) {
  return clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }), ends);
}

function server(options: Partial<ServerOptions> = {}) {
  return serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));
}

/** The ClientHello that a client with these options sends. */
function helloOf(options: Partial<ClientOptions>, ends: Parameters<typeof clientEnd>[1] = {}): ClientHello {
  return decodeMessage(clientHello, { type: 1, raw: rawHello(options, ends) });
}

function rawHello(options: Partial<ClientOptions>, ends: Parameters<typeof clientEnd>[1] = {}): Uint8Array {
  const end = client(options, ends);
  end.connection.start();
  return end.take().subarray(5);
}

describe('GREASE', () => {
  test('stands in every list', () => {
    const { cipherSuites, extensions } = helloOf({ grease: true, alpnProtocols: ['h2'] });
    expect(isGrease(cipherSuites[0]!)).toBe(true);
    expect(cipherSuites.filter(isGrease)).toHaveLength(1);
    const group = extensions.get(supportedGroups)![0]!;
    expect(isGrease(group)).toBe(true);
    expect(extensions.get(keyShare)![0]).toEqual({ group, keyExchange: Uint8Array.of(0) });
    expect(isGrease(extensions.get(supportedVersions)![0]!)).toBe(true);
    expect(isGrease(extensions.get(signatureAlgorithms)![0]!)).toBe(true);
    expect(extensions.get(pskKeyExchangeModes)!.some((mode) => GREASE_PSK_MODES.includes(mode))).toBe(true);
    expect(extensions.get(alpn)![1]).toMatch(/^(.)\1$/s);
    const ids = extensions.ids;
    expect([isGrease(ids[0]!), isGrease(ids.at(-1)!), ids.filter(isGrease).length]).toEqual([true, true, 2]);
  });

  test('stands only in the places named', () => {
    const { cipherSuites, extensions } = helloOf({ grease: ['cipherSuites'] });
    expect(isGrease(cipherSuites[0]!)).toBe(true);
    expect(extensions.ids.some(isGrease)).toBe(false);
    expect(extensions.get(supportedGroups)!.some(isGrease)).toBe(false);
  });

  test('is another one in another connection', () => {
    const seen = new Set(Array.from({ length: 40 }, () => helloOf({ grease: true }).cipherSuites[0]!));
    expect(seen.size).toBeGreaterThan(4);
  });

  test.each([
    ['TLS 1.3', {}, {}],
    ['TLS 1.3 after a retry', {}, { groups: ['secp384r1'] }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, {}],
    ['a server that prefers the client’s order', {}, { preferServerOrder: false }],
    ['TLS 1.2 in the client’s order', { maxVersion: 'TLSv1.2' }, { preferServerOrder: false }],
  ] as const)('does not disturb %s', (_what, clientOptions, serverOptions) => {
    const ends = new Pair(
      client({ grease: true, alpnProtocols: ['h2'], ...clientOptions }),
      server({
        grease: true,
        alpnProtocols: ['h2'],
        clientCertificate: 'request',
        verifyCertificate,
        tickets: new TicketKeys(nodeCrypto),
        ...serverOptions,
      }),
    ).pump();
    expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
    expect(ends.client.info.alpnProtocol).toBe('h2');
    expect(ends.client.sessions.length).toBeGreaterThan(0);
  });

  test.each([
    [
      'suite',
      (p: PuppetServer13) =>
        greaseless(p).sendServerHello((h) => {
          h.cipherSuite = p.hello.cipherSuites[0]!;
        }),
      'illegal-parameter',
    ],
    [
      'version',
      (p: PuppetServer13) =>
        greaseless(p).sendServerHello((h) => {
          const block = h.extensions as ExtensionBlock<'server_hello'>;
          block.set(supportedVersions, p.hello.extensions.get(supportedVersions)![0]!);
        }),
      'illegal-parameter',
    ],
    [
      'group',
      (p: PuppetServer13) => p.sendRetry(p.hello.extensions.get(supportedGroups)![0]!),
      'illegal-parameter',
    ],
    [
      'protocol',
      (p: PuppetServer13) => {
        greaseless(p).sendServerHello();
        return p.send(p.encryptedExtensions((b) => b.set(alpn, p.hello.extensions.get(alpn)!.at(-1)!)));
      },
      'illegal-parameter',
    ],
    [
      'extension',
      (p: PuppetServer13) => {
        greaseless(p).sendServerHello();
        return p.send(p.encryptedExtensions((b) => b.setRaw(p.hello.extensions.ids[0]!, new Uint8Array(0))));
      },
      'unsolicited-extension',
    ],
  ] as const)('a server that selects its %s is refused', (_what, act, code) => {
    const p = new PuppetServer13(nodeCrypto, client({ grease: true, alpnProtocols: ['h2'] }), pki.server());
    act(p);
    expect(outcomeOf(p)).toEqual(refused(code));
  });

  test('a TLS 1.2 server that selects it is refused', () => {
    const options = { grease: true, maxVersion: 'TLSv1.2' } as const;
    const p = new PuppetServer12(nodeCrypto, client(options), pki.server());
    p.send(
      p.serverHello((h) => {
        h.cipherSuite = p.hello.cipherSuites[0]!;
      }),
    );
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });

  /** The puppet answers the first share: it must be a real one. */
  function greaseless(p: PuppetServer13): PuppetServer13 {
    const shares = p.hello.extensions.get(keyShare)!;
    p.hello.extensions.set(
      keyShare,
      shares.filter(({ group }) => !isGrease(group)),
    );
    return p;
  }
});

describe('the order of extensions', () => {
  const plain = helloOf({}).extensions.ids;

  test('is another one each time when they are shuffled', () => {
    const orders = new Set(
      Array.from({ length: 20 }, () => helloOf({ extensionOrder: 'shuffle' }).extensions.ids.join()),
    );
    expect(orders.size).toBeGreaterThan(15);
    for (const order of orders) expect(order.split(',').map(Number).sort()).toEqual([...plain].sort());
  });

  test('follows the list given; the rest comes after it as it was', () => {
    const first = [43, 51, 0x1234, 10];
    const { ids } = helloOf({ extensionOrder: first }).extensions;
    expect(ids).toEqual([43, 51, 10, ...plain.filter((id) => !first.includes(id))]);
  });

  test.each(['shuffle', [41, 43]] as const)('%j leaves pre_shared_key last', (extensionOrder) => {
    const tickets = new TicketKeys(nodeCrypto);
    const before = new Pair(client(), server({ tickets })).pump();
    const session = before.client.sessions[0]!;
    const options = { extensionOrder, grease: true, helloPadding: 128 } as const;
    expect(helloOf(options, { session }).extensions.ids.at(-1)).toBe(preSharedKey.id);
    const again = new Pair(client(options, { session }), server({ tickets })).pump();
    expect(again.client.info.resumed).toBe(true);
  });
});

describe('padding', () => {
  test.each([2, 7, 512, 1024, 4096])('fills the hello to a multiple of %i', (helloPadding) => {
    for (const name of ['a.example', 'ab.example', 'abc.example', 'abcd.example', 'abcde.example']) {
      const raw = rawHello({ helloPadding }, { host: name });
      expect(raw.length % helloPadding).toBe(0);
      expect(helloOf({ helloPadding }, { host: name }).extensions.get(padding)).toBeGreaterThan(0);
    }
  });

  test('is worked out anew after a retry', () => {
    const hellos: Uint8Array[] = [];
    const ends = new Pair(client({ helloPadding: 512 }), server({ groups: ['secp521r1'] }), (bytes, from) => {
      if (from === 'client' && bytes[0] === 22) hellos.push(bytes.subarray(5));
      return [bytes];
    }).pump();
    expect(ends.client.info.helloRetryRequest).toBe(true);
    expect(hellos.map((hello) => hello.length % 512)).toEqual([0]);
    expect(ends.server.errors).toEqual([]);
  });

  test.each([0, 1, 5000, Number.NaN])('to %d is a mistake in the options', (helloPadding) => {
    expect(() => client({ helloPadding })).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});

test('signature_algorithms_cert is sent by both sides, and a server sees the client’s', () => {
  const schemes = ['rsa_pkcs1_sha256', 'ecdsa_secp256r1_sha256'];
  const { extensions } = helloOf({ certificateSignatureSchemes: schemes });
  expect(extensions.get(signatureAlgorithmsCert)).toEqual([0x0401, 0x0403]);
  let seen: readonly number[] = [];
  const ends = new Pair(
    client({ certificateSignatureSchemes: schemes, credentials: [pki.client()] }),
    server({
      credentials: (info) => {
        seen = info.certificateSignatureSchemes;
        return [pki.server()];
      },
      certificateSignatureSchemes: ['ed25519'],
      clientCertificate: 'require',
      verifyCertificate,
    }),
  ).pump();
  expect(seen).toEqual([0x0401, 0x0403]);
  expect(ends.server.info.peerCertificates).toHaveLength(1);
  expect(() => client({ certificateSignatureSchemes: ['rot13'] })).toThrow(/rot13/);
});

test('a cookie that a server gives is sent back in the padded and shuffled hello', () => {
  const p = new PuppetServer13(
    nodeCrypto,
    client({ extensionOrder: 'shuffle', helloPadding: 256 }),
    pki.server(),
  );
  p.sendRetry(0x0017, (h) => {
    (h.extensions as ExtensionBlock<'hello_retry_request'>).set(cookie, Uint8Array.of(7));
  });
  expect(p.hello.extensions.get(cookie)).toEqual(Uint8Array.of(7));
  expect(p.messages[1]!.raw.length % 256).toBe(0);
  expect(p.upTo('done').end.connection.state).toBe('open');
});
