import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { alpn } from '../extensions/alpn.ts';
import {
  ecPointFormats,
  extendedMasterSecret,
  renegotiationInfo,
  signatureAlgorithms,
  supportedGroups,
} from '../extensions/negotiation.ts';
import { DOWNGRADE_TLS12 } from '../messages/server-hello.ts';
import type { ServerOptions } from '../options/server.ts';
import { serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import type { WritableClientHello } from '../testing/puppet-client13.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';

// What a server must not take from a client of TLS 1.2.

const pki = new TestPki(nodeCrypto);
const asks = { clientCertificate: 'require', verifyCertificate: pki.verifier() } as const;

function puppet(options: Partial<ServerOptions> = {}, own = pki.client()): PuppetClient12 {
  const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options });
  return new PuppetClient12(nodeCrypto, serverEnd(config), own);
}

type Case = readonly [what: string, act: (p: PuppetClient12) => unknown, code: string];

function refuses(cases: readonly Case[], options: Partial<ServerOptions> = {}): void {
  test.each(cases)('%s', (_what, act, code) => {
    const p = puppet(options);
    act(p);
    expect(outcomeOf(p)).toEqual(refused(code));
    expect(p.end.data).toEqual([]);
  });
}

const hello = (change: (h: WritableClientHello) => void) => (p: PuppetClient12) => p.sendHello(change);

// RFC 7919 §4: who names finite fields wants one of them, or a suite without any.
describe('a ClientHello with finite fields', () => {
  const groups = ['x25519', 'ffdhe2048', 'ffdhe3072'];
  const cipherSuites = ['ECDHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-AES128-GCM-SHA256'];
  const [ECDHE, DHE] = [0xc02f, 0x009e];
  const FFDHE = { 2048: 0x0100, 8192: 0x0104, unknown: 0x01ff } as const;
  const meet = (suites: number[], offered: number[] | undefined) => {
    const p = puppet({ groups, cipherSuites, credentials: [pki.server('rsa')] });
    p.sendHello((h) => {
      h.cipherSuites = suites;
      if (offered === undefined) h.extensions.delete(supportedGroups);
      else h.extensions.set(supportedGroups, offered);
    });
    return p;
  };

  test.each([
    ['none of ours', [DHE], [FFDHE[8192]]],
    ['none that anybody knows', [DHE], [FFDHE.unknown]],
    ['none of ours, and a curve without a suite for it', [DHE], [0x001d, FFDHE[8192]]],
    ['none of ours, nor a curve', [ECDHE, DHE], [0x0016, FFDHE[8192]]],
    ['none of ours, and suites that we do not know', [0x002f, DHE], [FFDHE[8192], FFDHE.unknown]],
  ])('%s', (_what, suites, offered) => {
    expect(outcomeOf(meet(suites, offered))).toEqual(refused('no-common-finite-field'));
  });

  test.each([
    ['one of ours', [DHE], [FFDHE[8192], FFDHE[2048]], DHE],
    ['none of ours, and a curve', [DHE, ECDHE], [0x001d, FFDHE[8192]], ECDHE],
    ['none at all', [DHE], [0x0016], DHE],
    ['no groups at all', [DHE], undefined, DHE],
  ])('%s is served', (_what, suites, offered, suite) => {
    const p = meet(suites, offered);
    expect(p.suite.id).toBe(suite);
    expect(p.end.connection.state).toBe('handshaking');
  });

  test('a curve that is missing is another matter', () => {
    expect(outcomeOf(meet([ECDHE], [0x0016, FFDHE[8192]]))).toEqual(refused('no-common-group'));
  });
});

describe('a ClientHello', () => {
  refuses([
    [
      'of TLS 1.1',
      hello((h) => {
        h.legacyVersion = 0x0302;
      }),
      'no-common-version',
    ],
    [
      'of SSL 2.0 in a TLS record',
      hello((h) => {
        h.legacyVersion = 0x0002;
      }),
      'no-common-version',
    ],
    [
      'that fell back although both know 1.3',
      hello((h) => {
        h.cipherSuites = [...h.cipherSuites, 0x5600];
      }),
      'inappropriate-fallback',
    ],
    [
      'without "no compression"',
      hello((h) => {
        h.legacyCompressionMethods = [1];
      }),
      'illegal-parameter',
    ],
    [
      'without a suite that we know',
      hello((h) => {
        h.cipherSuites = [0x002f, 0x000a];
      }),
      'no-common-cipher-suite',
    ],
    [
      'with suites for other keys than ours',
      hello((h) => {
        h.cipherSuites = [0xc02f];
      }),
      'no-common-signature-scheme',
    ],
    [
      'without a curve that we know',
      hello((h) => h.extensions.set(supportedGroups, [0x0016])),
      'no-common-group',
    ],
    [
      'with signature schemes that do not fit',
      hello((h) => h.extensions.set(signatureAlgorithms, [0x0401])),
      'no-common-signature-scheme',
    ],
    [
      'with SHA-1 only',
      hello((h) => h.extensions.set(signatureAlgorithms, [0x0203, 0x0201])),
      'no-common-signature-scheme',
    ],
    [
      'without signature_algorithms, which means SHA-1',
      hello((h) => h.extensions.delete(signatureAlgorithms)),
      'no-common-signature-scheme',
    ],
    [
      'without uncompressed points',
      hello((h) => h.extensions.set(ecPointFormats, [1, 2])),
      'illegal-parameter',
    ],
    [
      'with renegotiation_info that is not empty',
      hello((h) => h.extensions.set(renegotiationInfo, new Uint8Array(12))),
      'insecure-renegotiation',
    ],
  ]);
  refuses(
    [
      [
        'without extended master secret, where it is required',
        hello((h) => h.extensions.delete(extendedMasterSecret)),
        'no-extended-master-secret',
      ],
    ],
    { allowNoExtendedMasterSecret: false },
  );
  refuses(
    [['without a protocol in common', hello((h) => h.extensions.set(alpn, ['imap'])), 'no-common-protocol']],
    { alpnProtocols: ['h2'] },
  );
  refuses([['for a name that nobody serves', hello(() => {}), 'no-certificate-for-name']], {
    credentials: () => [],
  });
  refuses([['for a server of 1.3 only', hello(() => {}), 'no-common-version']], { minVersion: 'TLSv1.3' });

  test('that offers compression beside none is served without', () => {
    const p = puppet();
    p.sendHello((h) => {
      h.legacyCompressionMethods = [1, 0];
    });
    expect(p.messages.map(({ type }) => type)).toEqual([2, 11, 12, 14]);
  });

  test('is answered with the mark when the server knows 1.3, without when it does not', () => {
    const mark = (options: Partial<ServerOptions>) => puppet(options).sendHello().serverRandom.subarray(24);
    expect(mark({})).toEqual(DOWNGRADE_TLS12);
    expect(mark({ maxVersion: 'TLSv1.2' })).not.toEqual(DOWNGRADE_TLS12);
  });

  test('without supported_groups is answered with P-256', () => {
    const p = puppet();
    p.sendHello((h) => h.extensions.delete(supportedGroups));
    expect(p.messages.find(({ type }) => type === 12)!.raw.subarray(4, 8)).toEqual(
      Uint8Array.of(3, 0, 23, 65),
    );
  });

  test('with the signalling suite is answered with renegotiation_info', () => {
    const p = puppet();
    p.sendHello((h) => {
      h.extensions.delete(renegotiationInfo);
      h.cipherSuites = [...h.cipherSuites, 0x00ff];
    });
    expect(String(p.messages[0]!.raw)).toContain('255,1,0,1,0');
  });
});

describe("the client's flight", () => {
  const at = (act: (p: PuppetClient12) => unknown) => (p: PuppetClient12) => act(p.sendHello());
  refuses([
    ['with an all-zero point', at((p) => p.send(p.keyExchange(new Uint8Array(32)))), 'bad-key-share'],
    ['with a short point', at((p) => p.send(p.keyExchange(new Uint8Array(31)))), 'bad-key-share'],
    ['with an empty point', at((p) => p.send(Uint8Array.of(16, 0, 0, 1, 0))), 'malformed-message'],
    [
      'with bytes behind the point',
      at((p) => p.send(Uint8Array.of(16, 0, 0, 3, 1, 1, 1))),
      'malformed-message',
    ],
    ['with a certificate nobody asked for', at((p) => p.send(p.certificate())), 'unexpected-message'],
    ['with ChangeCipherSpec before the key exchange', at((p) => p.changeCipherSpec()), 'unexpected-message'],
    ['with ChangeCipherSpec before ClientHello', (p) => p.changeCipherSpec(), 'unexpected-message'],
    [
      'with application data before the keys',
      at((p) => p.applicationData(Uint8Array.of(1))),
      'unexpected-message',
    ],
    [
      'with Finished in the place of the key exchange',
      at((p) => p.send(Uint8Array.of(20, 0, 0, 12, ...new Uint8Array(12)))),
      'unexpected-message',
    ],
    [
      'with Finished in the clear',
      at((p) => {
        p.send(p.keyExchange());
        p.send(p.finished());
      }),
      'unexpected-message',
    ],
    [
      'with Finished in the clear after ChangeCipherSpec',
      at((p) => {
        p.send(p.keyExchange());
        p.changeCipherSpec().send(p.finished());
      }),
      'bad-record-mac',
    ],
    [
      'with a wrong Finished',
      at((p) => {
        p.send(p.keyExchange());
        p.changeKeys().send(p.finished((d) => d.map((b) => b ^ 1)));
      }),
      'bad-finished',
    ],
    ...[0, 1, 11, 13, 32].map(
      (length): Case => [
        `with a Finished of ${length} bytes`,
        at((p) => {
          p.send(p.keyExchange());
          p.changeKeys().send(p.finished((d) => concat(d, d, d).slice(0, length)));
        }),
        'malformed-message',
      ],
    ),
    [
      'with the Finished of a server',
      at((p) => {
        p.send(p.keyExchange());
        p.changeKeys().send(p.finished((d) => d.slice().reverse()));
      }),
      'bad-finished',
    ],
    [
      'with a message behind the key exchange, before new keys',
      at((p) => {
        p.sendTogether(p.keyExchange(), Uint8Array.of(20));
        p.changeCipherSpec();
      }),
      'unexpected-message',
    ],
    [
      'with data before Finished',
      at((p) => {
        p.send(p.keyExchange());
        p.changeKeys().applicationData(Uint8Array.of(1));
      }),
      'unexpected-message',
    ],
    [
      'with a second ChangeCipherSpec',
      at((p) => {
        p.send(p.keyExchange());
        p.changeKeys().changeCipherSpec();
      }),
      'unexpected-message',
    ],
    ['with another ClientHello', at((p) => p.sendHello()), 'unexpected-message'],
  ]);

  test('with a point that is not on P-256', () => {
    const p = puppet({ groups: ['secp256r1'] }).sendHello();
    p.send(Uint8Array.of(16, 0, 0, 66, 65, 4, ...new Array(64).fill(1)));
    expect(outcomeOf(p)).toEqual(refused('bad-key-share'));
  });
});

describe("the client's certificate", () => {
  const flow =
    (options: Parameters<PuppetClient12['certificateVerify']>[0] = {}, chain?: Uint8Array[]) =>
    (p: PuppetClient12) => {
      p.sendHello();
      p.send(p.certificate(chain));
      p.send(p.keyExchange());
      p.send(p.certificateVerify(options));
    };
  refuses(
    [
      ['is missing', (p) => p.sendHello().send(p.certificate([])), 'client-certificate-missing'],
      [
        'is left out',
        (p) => {
          p.sendHello();
          p.send(p.keyExchange());
        },
        'unexpected-message',
      ],
      [
        'is not signed for',
        (p) => {
          p.sendHello();
          p.send(p.certificate());
          p.send(p.keyExchange());
          p.changeCipherSpec();
        },
        'unexpected-message',
      ],
      ['is no certificate', flow({}, [Uint8Array.of(1)]), 'bad-certificate'],
      ['is signed for over something else', flow({ content: Uint8Array.of(1) }), 'bad-signature'],
      ['is signed for with SHA-1', flow({ scheme: 0x0203 }), 'illegal-parameter'],
      ['is signed for with a scheme of another key', flow({ scheme: 0x0804 }), 'illegal-parameter'],
    ],
    asks,
  );

  test('is of an unknown CA', () => {
    const p = puppet(asks, pki.client('p256', { trusted: false }));
    flow()(p);
    expect(outcomeOf(p)).toEqual(refused('unknown-ca'));
  });

  test('is as it should be, and is taken', () => {
    const p = puppet(asks);
    flow()(p);
    p.changeKeys().send(p.finished());
    expect(p.end.info.peerCertificates).toEqual(p.credential.certificates);
  });
});

describe('after the handshake', () => {
  const after = (act: (p: PuppetClient12) => unknown) => (p: PuppetClient12) => act(p.complete());
  refuses([
    ['a Finished', after((p) => p.send(p.finished())), 'unexpected-message'],
    ['a KeyUpdate', after((p) => p.send(Uint8Array.of(24, 0, 0, 1, 0))), 'unexpected-message'],
    ['a ChangeCipherSpec', after((p) => p.changeCipherSpec()), 'unexpected-message'],
    [
      'a plaintext record',
      after((p) => p.bytes(concat(Uint8Array.of(23, 3, 3, 0, 1, 65)))),
      'bad-record-mac',
    ],
  ]);
});
