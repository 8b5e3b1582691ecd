import { concat } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { ExtensionBlock } from '../extensions/block.ts';
import { cookie } from '../extensions/cookie.ts';
import { keyShare } from '../extensions/key-share.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { preSharedKey } from '../extensions/pre-shared-key.ts';
import { RETRY_RANDOM } from '../messages/server-hello.ts';
import { cipherSuite13 } from '../suites/index.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import type { PuppetServer13, WritableServerHello } from '../testing/puppet-server13.ts';
import { puppet, type Refusal13, raw, refuses } from '../testing/refusals13.ts';

// What a TLS 1.3 client must not take from a server. Each case: the error here, and the alert there, once.

const hello = (change: (hello: WritableServerHello) => void) => (p: PuppetServer13) =>
  p.sendServerHello(change);
const block = (change: (b: ExtensionBlock<'server_hello'>) => void) =>
  hello((value) => change(value.extensions as ExtensionBlock<'server_hello'>));

describe('a ServerHello', () => {
  const unsolicited = (id: number, name: string): Refusal13 => [
    `that holds the extension ${name}`,
    block((b) => b.setRaw(id, new Uint8Array(0))),
    'misplaced-extension',
  ];
  refuses([
    [
      'that selects a version that was not offered',
      block((b) => b.set(supportedVersions, 0x0303)),
      'illegal-parameter',
    ],
    ['that selects a draft version', block((b) => b.set(supportedVersions, 0x7f1c)), 'illegal-parameter'],
    ...[0x0000, 0x0002, 0x0200, 0x0300, 0x0301, 0x0302, 0x0304, 0x0305, 0x7f1c, 0xffff].map(
      (version): Refusal13 => [
        `with the legacy_version ${version.toString(16)}`,
        hello((h) => {
          h.legacyVersion = version;
        }),
        'no-common-version',
      ],
    ),
    [
      'that selects TLS 1.2, with the legacy_version of TLS 1.1',
      hello((h) => {
        h.legacyVersion = 0x0302;
        (h.extensions as ExtensionBlock<'server_hello'>).set(supportedVersions, 0x0303);
      }),
      'illegal-parameter',
    ],
    [
      'that does not echo the session ID',
      hello((h) => {
        h.legacySessionIdEcho = new Uint8Array(32);
      }),
      'illegal-parameter',
    ],
    [
      'with an empty session ID',
      hello((h) => {
        h.legacySessionIdEcho = new Uint8Array(0);
      }),
      'illegal-parameter',
    ],
    [
      'with a compression method',
      hello((h) => {
        h.legacyCompressionMethod = 1;
      }),
      'illegal-parameter',
    ],
    [
      'with a suite that was not offered',
      hello((h) => {
        h.cipherSuite = 0x1304;
      }),
      'illegal-parameter',
    ],
    [
      'with a suite of TLS 1.2',
      hello((h) => {
        h.cipherSuite = 0xc02b;
      }),
      'illegal-parameter',
    ],
    [
      'with a suite that nobody knows',
      hello((h) => {
        h.cipherSuite = 0x0a0a;
      }),
      'illegal-parameter',
    ],
    ['without key_share', block((b) => b.delete(keyShare)), 'missing-extension'],
    [
      'with a share of a group without one of ours',
      block((b) => b.set(keyShare, { group: 0x0017, keyExchange: new Uint8Array(65) })),
      'illegal-parameter',
    ],
    [
      'with a share of a group that nobody knows',
      block((b) => b.set(keyShare, { group: 0x0a0a, keyExchange: new Uint8Array(1) })),
      'illegal-parameter',
    ],
    [
      'with an all-zero X25519 share',
      block((b) => b.set(keyShare, { group: 0x001d, keyExchange: new Uint8Array(32) })),
      'bad-key-share',
    ],
    [
      'with a short share',
      block((b) => b.set(keyShare, { group: 0x001d, keyExchange: new Uint8Array(31).fill(9) })),
      'bad-key-share',
    ],
    [
      'with a long share',
      block((b) => b.set(keyShare, { group: 0x001d, keyExchange: new Uint8Array(33).fill(9) })),
      'bad-key-share',
    ],
    [
      'that selects a PSK when none was offered',
      block((b) => b.set(preSharedKey, 0)),
      'unsolicited-extension',
    ],
    [
      'with an extension of no known number',
      block((b) => b.setRaw(0x5a5a, new Uint8Array(0))),
      'unsolicited-extension',
    ],
    unsolicited(16, 'ALPN'),
    unsolicited(0, 'server_name'),
    unsolicited(10, 'supported_groups'),
    unsolicited(23, 'extended_master_secret'),
    unsolicited(0xff01, 'renegotiation_info'),
    unsolicited(44, 'cookie'),
  ]);

  test('that is cut short anywhere is refused as malformed', () => {
    const p = puppet();
    const whole = p.sealed(22, Uint8Array.of());
    expect(whole.length).toBe(5);
    p.send(raw(2, 3, 3));
    expect(outcomeOf(p)).toEqual(refused('malformed-message'));
  });

  test('with bytes after its end is refused', () => {
    const p = puppet();
    const body = concat(Uint8Array.of(3, 3), new Uint8Array(32), Uint8Array.of(0, 0x13, 1, 0, 0, 0, 9));
    p.send(concat(Uint8Array.of(2, 0, 0, body.length), body));
    expect(outcomeOf(p)).toEqual(refused('malformed-message'));
  });

  test.each([
    ['secp256r1', 0x0017, 65],
    ['secp384r1', 0x0018, 97],
    ['secp521r1', 0x0019, 133],
  ] as const)('with a point that is not on %s is refused', (group, id, length) => {
    const p = puppet({ groups: [group] });
    const point = new Uint8Array(length).fill(1);
    point[0] = 4;
    block((b) => b.set(keyShare, { group: id, keyExchange: point }))(p);
    expect(outcomeOf(p)).toEqual(refused('bad-key-share'));
  });

  test('with a compressed point is refused', () => {
    const p = puppet({ groups: ['secp256r1'] });
    block((b) => b.set(keyShare, { group: 0x0017, keyExchange: new Uint8Array(33).fill(2) }))(p);
    expect(outcomeOf(p)).toEqual(refused('bad-key-share'));
  });

  test('twice the same extension is refused', () => {
    const p = puppet();
    const extension = [0, 43, 0, 2, 3, 4];
    const body = [3, 3, ...new Array(32).fill(7), 0, 0x13, 1, 0, 0, 12, ...extension, ...extension];
    p.send(raw(2, ...body));
    expect(outcomeOf(p)).toEqual(refused('duplicate-extension'));
  });

  test('is not taken by a client that speaks TLS 1.2 only', () => {
    const p = puppet();
    const old = puppet({ maxVersion: 'TLSv1.2' });
    old.hello = p.hello;
    old.sendServerHello((h) => {
      h.legacySessionIdEcho = new Uint8Array(0);
    });
    expect(outcomeOf(old).codes).toEqual(['illegal-parameter']);
    expect(old.alerts).toEqual(['fatal illegal_parameter']);
  });
});

// RFC 9846 §4.3.11: what does not go together is illegal_parameter.
describe('a ServerHello with a PSK', () => {
  const takes = (index: number, change: (b: ExtensionBlock<'server_hello'>) => void = () => {}) =>
    block((b) => change(b.set(preSharedKey, index)));
  refuses(
    [
      ['without key_share', takes(0, (b) => b.delete(keyShare)), 'illegal-parameter'],
      ['that was not offered', takes(1), 'illegal-parameter'],
      ['that is far out of range', takes(0xffff), 'illegal-parameter'],
      [
        'of another hash than the suite',
        (p) => {
          p.suite = cipherSuite13(0x1302)!;
          takes(0)(p);
        },
        'illegal-parameter',
      ],
    ],
    { psks: [{ identity: Uint8Array.of(1), key: new Uint8Array(32).fill(7) }] },
  );
});

describe('a HelloRetryRequest', () => {
  const retry =
    (group: number, change?: (b: ExtensionBlock<'hello_retry_request'>) => void) => (p: PuppetServer13) =>
      p.sendRetry(group, (h) => change?.(h.extensions as ExtensionBlock<'hello_retry_request'>));
  refuses([
    ['for the group of which there was a share', retry(0x001d), 'illegal-parameter'],
    ['for a group that was not offered', retry(0x001e), 'illegal-parameter'],
    ['that changes nothing', retry(0x0017, (b) => b.delete(keyShare)), 'illegal-parameter'],
    ['without supported_versions', retry(0x0017, (b) => b.delete(supportedVersions)), 'missing-extension'],
    ['that selects TLS 1.2', retry(0x0017, (b) => b.set(supportedVersions, 0x0303)), 'illegal-parameter'],
    [
      'with an extension that was not offered',
      retry(0x0017, (b) => b.setRaw(0x5a5a, new Uint8Array(0))),
      'unsolicited-extension',
    ],
    ['with ALPN', retry(0x0017, (b) => b.setRaw(16, new Uint8Array(0))), 'misplaced-extension'],
    ['with an empty cookie', (p) => p.send(raw(2, ...retryBody(p, 0, 44, 0, 2, 0, 0))), 'malformed-message'],
    [
      'with a suite that was not offered',
      (p) =>
        p.sendRetry(0x0017, (h) => {
          h.cipherSuite = 0x1304;
        }),
      'illegal-parameter',
    ],
    ...[0x0300, 0x0302, 0x0304].map(
      (version): Refusal13 => [
        `with the legacy_version ${version.toString(16)}`,
        (p) =>
          p.sendRetry(0x0017, (h) => {
            h.legacyVersion = version;
          }),
        'no-common-version',
      ],
    ),
    [
      'that is followed by another legacy_version',
      (p) => {
        p.sendRetry(0x0017);
        hello((h) => {
          h.legacyVersion = 0x0301;
        })(p);
      },
      'no-common-version',
    ],
    [
      'that does not echo the session ID',
      (p) =>
        p.sendRetry(0x0017, (h) => {
          h.legacySessionIdEcho = Uint8Array.of(1);
        }),
      'illegal-parameter',
    ],
    ['that comes twice', (p) => p.sendRetry(0x0017).sendRetry(0x0018), 'unexpected-message'],
    [
      'that comes twice, the second with a cookie',
      (p) => {
        retry(0x0017)(p);
        retry(0x0017, (b) => b.set(cookie, Uint8Array.of(1)))(p);
      },
      'unexpected-message',
    ],
    [
      'that is followed by another suite',
      (p) => {
        p.sendRetry(0x0017);
        p.sendServerHello((h) => {
          h.cipherSuite = 0x1303;
        });
      },
      'illegal-parameter',
    ],
    [
      'that is followed by a share of the first group',
      (p) => {
        const first = p.hello.extensions.get(keyShare)![0]!;
        p.sendRetry(0x0017);
        block((b) => b.set(keyShare, first))(p);
      },
      'illegal-parameter',
    ],
    [
      'that is followed by TLS 1.2',
      (p) => {
        p.sendRetry(0x0017);
        p.sendServerHello((h) => {
          h.extensions = new ExtensionBlock('server_hello_12');
          h.cipherSuite = 0xc02b;
        });
      },
      'illegal-parameter',
    ],
    [
      'when a message follows in the same record',
      (p) => {
        p.sendTogether(raw(2, ...retryBody(p)), raw(8, 0, 0));
      },
      'unexpected-message',
    ],
  ]);

  /** A retry for P-256 as it should be. */
  function retryBody(p: PuppetServer13, ...more: number[]): number[] {
    const echo = p.hello.legacySessionId;
    const extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 0x17, ...more];
    return [3, 3, ...RETRY_RANDOM, echo.length, ...echo, 0x13, 1, 0, 0, extensions.length, ...extensions];
  }

  test('with a cookie alone is answered with the same share and the cookie', () => {
    const p = puppet();
    const before = p.hello.extensions.get(keyShare);
    retry(0x0017, (b) => {
      b.delete(keyShare);
      b.set(cookie, Uint8Array.of(1, 2, 3));
    })(p);
    expect(p.hello.extensions.get(cookie)).toEqual(Uint8Array.of(1, 2, 3));
    expect(p.hello.extensions.get(keyShare)).toEqual(before);
    expect(p.upTo('done').end.connection.state).toBe('open');
    expect(p.end.info.helloRetryRequest).toBe(true);
  });

  test('that is as it should be is followed', () => {
    const p = puppet();
    const first = p.hello;
    p.sendRetry(0x0018);
    expect(p.hello.random).toEqual(first.random);
    expect(p.hello.extensions.get(keyShare)!.map(({ group }) => group)).toEqual([0x0018]);
    expect(p.upTo('done').end.connection.state).toBe('open');
  });
});
