import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { alpn } from '../extensions/alpn.ts';
import { cookie } from '../extensions/cookie.ts';
import { keyShare } from '../extensions/key-share.ts';
import { signatureAlgorithms, supportedGroups, supportedVersions } from '../extensions/negotiation.ts';
import { padding } from '../extensions/padding.ts';
import { earlyData, preSharedKey, pskKeyExchangeModes } from '../extensions/pre-shared-key.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13, type WritableClientHello } from '../testing/puppet-client13.ts';
import { TLS12, TLS13 } from '../versions.ts';

// What a server must not take in a ClientHello of TLS 1.3.

const pki = new TestPki(nodeCrypto);
const credentials = [pki.server()];

function puppet(options: Partial<ServerOptions> = {}, groups?: number[]): PuppetClient13 {
  const config = serverConfig({ provider: nodeCrypto, credentials, ...options });
  return new PuppetClient13(nodeCrypto, serverEnd(config), pki.client(), groups);
}

type Case = readonly [what: string, act: (p: PuppetClient13) => unknown, code: string];

function refuses(cases: readonly Case[], options: Partial<ServerOptions> = {}): void {
  test.each(cases)('%s', (_what, act, code) => {
    const p = puppet(options);
    act(p);
    expect(outcomeOf(p)).toEqual(refused(code));
    expect(p.end.secured).toEqual([]);
  });
}

const hello = (change: (hello: WritableClientHello) => void) => (p: PuppetClient13) => p.sendHello(change);
/** A ClientHello whose extensions are these bytes. */
const raw = (...extensions: number[]) => {
  const body = [3, 3, ...new Array(32).fill(7), 0, 0, 2, 0x13, 1, 1, 0, 0, extensions.length, ...extensions];
  return Uint8Array.of(1, 0, 0, body.length, ...body);
};
const VERSIONS = [0, 43, 0, 3, 2, 3, 4];

describe('versions', () => {
  refuses([
    [
      'only TLS 1.1 in supported_versions',
      hello((h) => h.extensions.set(supportedVersions, [0x0302])),
      'no-common-version',
    ],
    [
      'only unknown versions',
      hello((h) => h.extensions.set(supportedVersions, [0x0a0a, 0x7f1c])),
      'no-common-version',
    ],
    ['an empty list of versions', (p) => p.send(raw(0, 43, 0, 1, 0)), 'malformed-message'],
    ['half a version', (p) => p.send(raw(0, 43, 0, 4, 3, 3, 4, 3)), 'malformed-message'],
    [
      'no supported_versions, legacy_version 1.1',
      hello((h) => {
        h.extensions.delete(supportedVersions);
        h.legacyVersion = 0x0302;
      }),
      'no-common-version',
    ],
    [
      'no supported_versions, legacy_version SSL 3.0',
      hello((h) => {
        h.extensions.delete(supportedVersions);
        h.legacyVersion = 0x0300;
      }),
      'no-common-version',
    ],
    [
      'a fallback from 1.3 to 1.2',
      hello((h) => {
        h.extensions.set(supportedVersions, [0x0303]);
        h.cipherSuites = [0xc02b, 0x5600];
      }),
      'inappropriate-fallback',
    ],
  ]);

  const withLegacyVersion = (version: number, versions: number[]) =>
    hello((h) => {
      h.legacyVersion = version;
      h.extensions.set(supportedVersions, versions);
    });

  // RFC 9846 §4.2.2 and §E.5.
  test.each([0x0000, 0x0002, 0x0200, 0x0300, 0x0301, 0x0302])(
    'legacy_version %i does not go with TLS 1.3',
    (version) => {
      for (const versions of [[TLS13], [TLS13, TLS12], [0x0a0a, TLS12, TLS13]]) {
        const outcome = (options: Partial<ServerOptions>) => {
          const p = puppet(options);
          withLegacyVersion(version, versions)(p);
          return outcomeOf(p);
        };
        expect(outcome({})).toEqual(refused('no-common-version'));
        expect(outcome({ maxVersion: 'TLSv1.2' })).toEqual(refused('no-common-version'));
      }
    },
  );

  test('legacy_version of SSL 3.0 does not go with any supported_versions', () => {
    const p = puppet();
    withLegacyVersion(0x0300, [TLS12])(p);
    expect(outcomeOf(p)).toEqual(refused('no-common-version'));
  });

  test.each([0x0303, 0x0304, 0x0399, 0x7777, 0xffff])('legacy_version %i is borne', (version) => {
    const p = puppet();
    withLegacyVersion(version, [TLS13])(p);
    expect(p.send(p.finished()).end.connection.state).toBe('open');
  });

  test('a fallback marker does no harm at the highest version', () => {
    const p = puppet();
    p.sendHello((h) => {
      h.cipherSuites = [0x1301, 0x5600];
    });
    expect(p.send(p.finished()).end.info.version).toBe('TLSv1.3');
  });

  test('a client of TLS 1.3 only is refused by a server of 1.2 only', () => {
    const p = puppet({ maxVersion: 'TLSv1.2' }).sendHello();
    expect(outcomeOf(p)).toEqual(refused('no-common-version'));
  });
});

describe('the fixed fields', () => {
  refuses([
    [
      'compression on offer',
      hello((h) => {
        h.legacyCompressionMethods = [0, 1];
      }),
      'illegal-parameter',
    ],
    [
      'only compression on offer',
      hello((h) => {
        h.legacyCompressionMethods = [1];
      }),
      'illegal-parameter',
    ],
    [
      'no suite that we know',
      hello((h) => {
        h.cipherSuites = [0x0a0a, 0x1306];
      }),
      'no-common-cipher-suite',
    ],
    [
      'only suites of TLS 1.2',
      hello((h) => {
        h.cipherSuites = [0xc02b];
      }),
      'no-common-cipher-suite',
    ],
    [
      'no suites at all',
      (p) => p.send(Uint8Array.of(1, 0, 0, 39, 3, 3, ...new Array(32).fill(7), 0, 0, 0, 1, 0)),
      'malformed-message',
    ],
    [
      'a session ID of 33 bytes',
      (p) =>
        p.send(
          Uint8Array.of(
            1,
            0,
            0,
            74,
            3,
            3,
            ...new Array(32).fill(7),
            33,
            ...new Array(33).fill(1),
            0,
            2,
            0x13,
            1,
            1,
            0,
          ),
        ),
      'malformed-message',
    ],
    [
      'bytes behind the extensions',
      (p) => {
        const whole = raw(...VERSIONS);
        whole[3]!++;
        p.send(concat(whole, Uint8Array.of(0)));
      },
      'malformed-message',
    ],
    ['an empty message', (p) => p.send(Uint8Array.of(1, 0, 0, 0)), 'malformed-message'],
  ]);
});

describe('extensions', () => {
  const without = (extension: Parameters<ReturnType<PuppetClient13['hello']>['extensions']['delete']>[0]) =>
    hello((h) => h.extensions.delete(extension));
  refuses([
    ['no signature_algorithms', without(signatureAlgorithms), 'missing-extension'],
    ['no supported_groups', without(supportedGroups), 'missing-extension'],
    ['no key_share', without(keyShare), 'missing-extension'],
    [
      'no group that we know',
      hello((h) => h.extensions.set(supportedGroups, [0x001e]).set(keyShare, [])),
      'no-common-group',
    ],
    [
      'no signature scheme that fits our key',
      hello((h) => h.extensions.set(signatureAlgorithms, [0x0804, 0x0403 ^ 0x100])),
      'no-common-signature-scheme',
    ],
    ['an extension twice', (p) => p.send(raw(...VERSIONS, ...VERSIONS)), 'duplicate-extension'],
    [
      'an unknown extension twice',
      (p) => p.send(raw(0x5a, 0x5a, 0, 0, ...VERSIONS, 0x5a, 0x5a, 0, 0)),
      'duplicate-extension',
    ],
    ['oid_filters, which belongs elsewhere', (p) => p.send(raw(0, 48, 0, 2, 0, 0)), 'misplaced-extension'],
    ['an extension longer than the block', (p) => p.send(raw(0, 43, 0, 9, 2, 3, 4)), 'malformed-message'],
    ['an empty server_name', (p) => p.send(raw(0, 0, 0, 2, 0, 0)), 'malformed-message'],
    [
      'a server_name with a zero byte',
      hello((h) => h.extensions.set(serverName, serverNamesFor('a\0b'))),
      'illegal-parameter',
    ],
    [
      'a server_name with a line break',
      hello((h) => h.extensions.set(serverName, serverNamesFor('a\r\nb'))),
      'illegal-parameter',
    ],
    [
      'two server names',
      (p) => p.send(raw(0, 0, 0, 10, 0, 8, 0, 0, 1, 97, 0, 0, 1, 98)),
      'illegal-parameter',
    ],
    ['an empty protocol name', (p) => p.send(raw(0, 16, 0, 3, 0, 1, 0)), 'malformed-message'],
    ['an empty list of protocols', (p) => p.send(raw(0, 16, 0, 2, 0, 0)), 'malformed-message'],
    ['padding that is not zero', (p) => p.send(raw(0, 21, 0, 2, 0, 1)), 'malformed-message'],
    ['an odd list of groups', (p) => p.send(raw(0, 10, 0, 5, 0, 3, 0, 29, 0)), 'malformed-message'],
    ['an empty list of signature schemes', (p) => p.send(raw(0, 13, 0, 2, 0, 0)), 'malformed-message'],
  ]);
  refuses([['no protocol in common', hello((h) => h.extensions.set(alpn, ['imap'])), 'no-common-protocol']], {
    alpnProtocols: ['h2'],
  });
  refuses([['a name that nobody serves', hello(() => {}), 'no-certificate-for-name']], {
    credentials: () => [],
  });
});

describe('key shares', () => {
  const share = (...entries: [number, Uint8Array][]) =>
    hello((h) =>
      h.extensions.set(
        keyShare,
        entries.map(([group, keyExchange]) => ({ group, keyExchange })),
      ),
    );
  const good = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
  const point = (length: number, first = 4) => {
    const bytes = new Uint8Array(length).fill(1);
    bytes[0] = first;
    return bytes;
  };
  refuses([
    ['two for one group', share([29, good], [29, good]), 'illegal-parameter'],
    ['in another order than the groups', share([23, point(65)], [29, good]), 'illegal-parameter'],
    ['for a group that was not offered', share([25, point(133)]), 'illegal-parameter'],
    ['all zero, X25519', share([29, new Uint8Array(32)]), 'bad-key-share'],
    [
      'of small order, X25519',
      share([29, Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))]),
      'bad-key-share',
    ],
    ['too short, X25519', share([29, new Uint8Array(31).fill(9)]), 'bad-key-share'],
    ['too long, X25519', share([29, new Uint8Array(33).fill(9)]), 'bad-key-share'],
    ['empty', (p) => p.send(raw(...VERSIONS, 0, 51, 0, 6, 0, 4, 0, 29, 0, 0)), 'malformed-message'],
    ['not on P-256', share([23, point(65)]), 'bad-key-share'],
    ['not on P-384', share([24, point(97)]), 'bad-key-share'],
    ['the point at infinity, P-256', share([23, new Uint8Array(65)]), 'bad-key-share'],
    ['the point at infinity in one byte, P-256', share([23, new Uint8Array(1)]), 'bad-key-share'],
    ['compressed, P-256', share([23, point(33, 2)]), 'bad-key-share'],
    ['hybrid form, P-256', share([23, point(65, 6)]), 'bad-key-share'],
  ]);

  test.skipIf(nodeCrypto.kem('ml-kem-768') === undefined)(
    'a hybrid share with a bad ML-KEM key is refused',
    () => {
      for (const bytes of [
        new Uint8Array(1216).fill(0xff),
        new Uint8Array(1215).fill(1),
        new Uint8Array(1217).fill(1),
      ]) {
        const p = puppet();
        p.sendHello((h) =>
          h.extensions.set(supportedGroups, [0x11ec]).set(keyShare, [{ group: 0x11ec, keyExchange: bytes }]),
        );
        expect(outcomeOf(p)).toEqual(refused('bad-key-share'));
      }
    },
  );

  test('GREASE is passed over', () => {
    const p = puppet();
    p.sendHello((h) => {
      h.cipherSuites = [0x0a0a, ...h.cipherSuites];
      h.extensions
        .setRaw(0x1a1a, new Uint8Array(0))
        .set(supportedVersions, [0x2a2a, 0x0304])
        .set(supportedGroups, [0x3a3a, 29])
        .set(keyShare, [{ group: 0x3a3a, keyExchange: Uint8Array.of(0) }, ...p.entries()])
        .set(signatureAlgorithms, [0x4a4a, 0x0403])
        .set(alpn, ['\x5a\x5a']);
    });
    expect(p.send(p.finished()).end.connection.state).toBe('open');
  });
});

describe('the second ClientHello', () => {
  /** A first hello without a share, then a second one that `change` spoils. */
  const second = (change: (h: WritableClientHello, p: PuppetClient13) => void) => (p: PuppetClient13) => {
    const value = p.hello();
    value.extensions.set(keyShare, []);
    p.sendHello((h) => Object.assign(h, value));
    value.extensions.set(keyShare, p.entries());
    change(value, p);
    p.sendHello((h) => Object.assign(h, value));
  };
  refuses([
    [
      'has another random',
      second((h) => {
        h.random = new Uint8Array(32);
      }),
      'illegal-parameter',
    ],
    [
      'has another session ID',
      second((h) => {
        h.legacySessionId = new Uint8Array(32);
      }),
      'illegal-parameter',
    ],
    [
      'has other suites',
      second((h) => {
        h.cipherSuites = [0x1301];
      }),
      'illegal-parameter',
    ],
    ...[0x0300, 0x0301, 0x0302].map(
      (version): Case => [
        `has the legacy_version ${version.toString(16)} (RFC 9846 §4.2.2)`,
        second((h) => {
          h.legacyVersion = version;
        }),
        'no-common-version',
      ],
    ),
    [
      'has another legacy_version, which would be borne',
      second((h) => {
        h.legacyVersion = 0x0304;
      }),
      'illegal-parameter',
    ],
    [
      'has another server name',
      second((h) => h.extensions.set(serverName, serverNamesFor('other.example'))),
      'illegal-parameter',
    ],
    ['has no server name', second((h) => h.extensions.delete(serverName)), 'illegal-parameter'],
    [
      'has one more extension',
      second((h) => h.extensions.setRaw(0x5a5a, new Uint8Array(0))),
      'illegal-parameter',
    ],
    ['has other groups', second((h) => h.extensions.set(supportedGroups, [29])), 'illegal-parameter'],
    [
      'has other versions',
      second((h) => h.extensions.set(supportedVersions, [0x0304, 0x0303])),
      'illegal-parameter',
    ],
    ['has protocols', second((h) => h.extensions.set(alpn, ['h2'])), 'illegal-parameter'],
    ['has no share again', second((h) => h.extensions.set(keyShare, [])), 'illegal-parameter'],
    [
      'has a share for another group',
      second((h) => h.extensions.set(keyShare, [{ group: 23, keyExchange: new Uint8Array(65) }])),
      'illegal-parameter',
    ],
    [
      'has two shares',
      second((h, p) =>
        h.extensions.set(keyShare, [...p.entries(), { group: 23, keyExchange: new Uint8Array(65) }]),
      ),
      'illegal-parameter',
    ],
    ['has early_data', second((h) => h.extensions.set(earlyData, null)), 'illegal-parameter'],
    [
      'has a cookie that nobody gave',
      second((h) => h.extensions.set(cookie, Uint8Array.of(1))),
      'illegal-parameter',
    ],
    [
      'is a Finished',
      (p) => {
        p.sendHello((h) => h.extensions.set(keyShare, []));
        p.send(Uint8Array.of(20, 0, 0, 0));
      },
      'unexpected-message',
    ],
  ]);

  test('is taken with a share, and with padding', () => {
    const p = puppet();
    second((h) => h.extensions.set(padding, 100))(p);
    expect(p.messages.filter(({ type }) => type === 2)).toHaveLength(2);
    expect(p.end.connection.state).toBe('handshaking');
    expect(p.end.errors).toEqual([]);
  });
});

describe('pre-shared keys', () => {
  const tickets = new TicketKeys(nodeCrypto);
  const identity = (length = 40) => ({ identity: new Uint8Array(length).fill(1), obfuscatedTicketAge: 0 });
  const offer = (identities: number, binders: number, length = 32) => ({
    identities: Array.from({ length: identities }, () => identity()),
    binders: Array.from({ length: binders }, () => new Uint8Array(length)),
  });
  refuses(
    [
      [
        'that are not last',
        hello((h) => h.extensions.set(preSharedKey, offer(1, 1)).set(padding, 1)),
        'illegal-parameter',
      ],
      [
        'with too few binders',
        hello((h) => h.extensions.set(preSharedKey, offer(2, 1))),
        'illegal-parameter',
      ],
      [
        'with too many binders',
        hello((h) => h.extensions.set(preSharedKey, offer(1, 2))),
        'illegal-parameter',
      ],
      [
        'without modes',
        hello((h) => {
          h.extensions.delete(pskKeyExchangeModes);
          h.extensions.set(preSharedKey, offer(1, 1));
        }),
        'missing-extension',
      ],
      [
        'with a short binder',
        (p) => p.send(raw(...VERSIONS, 0, 41, 0, 12, 0, 7, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0)),
        'malformed-message',
      ],
      ['with no identities', (p) => p.send(raw(...VERSIONS, 0, 41, 0, 4, 0, 0, 0, 0)), 'malformed-message'],
    ],
    { tickets },
  );

  test('that nobody knows lead to a full handshake', () => {
    const p = puppet({ tickets });
    p.sendHello((h) => h.extensions.set(preSharedKey, offer(9, 9)));
    expect(p.send(p.finished()).end.info.resumed).toBe(false);
  });
});
