import type { ClientOptions, ServerOptions } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { describe, expect, test } from 'vitest';
import {
  type ClientHello,
  clientHello,
  decodeMessage,
  encodeMessage,
  keyShare,
  type ServerHello,
  serverHello,
  splitRecords,
  supportedGroups,
  supportedVersions,
  type Wire,
} from '#tls/testing';
import { failures, meet } from './support.ts';

// Who sits on the wire changes what the two sides offer each other, so that they take an older version or a weaker suite than
// both know.

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Change<T> = (hello: Writable<T>) => void;

/** A wire on which the first hello of one side is changed. `seen` counts. */
function rewriting<T>(
  from: 'client' | 'server',
  message: typeof clientHello | typeof serverHello,
  change: Change<T>,
) {
  const state = { changed: 0 };
  const wire: Wire = (bytes, sender) => {
    if (sender !== from || state.changed > 0) return [bytes];
    const [first, ...rest] = splitRecords(bytes);
    const length = 4 + ((first![6]! << 16) | (first![7]! << 8) | first![8]!);
    const raw = first!.subarray(5, 5 + length);
    const hello = decodeMessage(message as typeof clientHello, {
      type: raw[0]!,
      raw,
    }) as unknown as Writable<T>;
    change(hello);
    state.changed++;
    const content = Buffer.concat([
      encodeMessage(message as typeof clientHello, hello as unknown as ClientHello),
      first!.subarray(5 + length),
    ]);
    const header = Uint8Array.of(...first!.subarray(0, 3), content.length >> 8, content.length & 255);
    return [Buffer.concat([header, content, ...rest])];
  };
  return { wire, state };
}

const attackClientHello = (
  change: Change<ClientHello>,
  client: Partial<ClientOptions> = {},
  server: Partial<ServerOptions> = {},
) => {
  const { wire, state } = rewriting('client', clientHello, change);
  const pair = meet(client, server, wire);
  expect(state.changed).toBe(1);
  return pair;
};

const without13: Change<ClientHello> = (hello) => hello.extensions.delete(supportedVersions);

describe('the version', () => {
  test('1.3 to 1.2: the client sees that the server knows better', () => {
    const pair = attackClientHello(without13);
    expect(failures(pair)).toEqual(['client: downgrade-detected', 'server: alert-received']);
    expect(pair.server.secured).toEqual([]);
  });

  test('1.3 to 1.2 without the marks in the server\u2019s random: the transcripts differ', () => {
    const pair = attackClientHello(without13, {}, { maxVersion: 'TLSv1.2' });
    expect(failures(pair).length).toBe(2);
    expect([pair.client.secured, pair.server.secured]).toEqual([[], []]);
  });

  test('1.3 to 1.2, and the marks taken out: the server\u2019s signature covers its random', () => {
    let first = true;
    const inner = rewriting<ServerHello>('server', serverHello, (hello) => {
      hello.random = new Uint8Array(32).fill(9);
    });
    const outer = rewriting('client', clientHello, without13);
    const pair = meet({}, {}, (bytes, from) => {
      const [changed] = from === 'client' && first ? outer.wire(bytes, from) : inner.wire(bytes, from);
      if (from === 'client') first = false;
      return [changed!];
    });
    expect([outer.state.changed, inner.state.changed]).toEqual([1, 1]);
    expect(failures(pair)).toEqual(['client: bad-signature', 'server: alert-received']);
  });

  test.each(['TLSv1.1', 'TLSv1'] as const)('1.2 to %s, where the old one is allowed at all', (old) => {
    const both = {
      legacy,
      minVersion: old,
      maxVersion: 'TLSv1.2',
      cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'],
      signatureSchemes: ['ecdsa_secp256r1_sha256'],
    } as const;
    const pair = attackClientHello(
      (hello) => {
        hello.legacyVersion = old === 'TLSv1' ? 0x0301 : 0x0302;
      },
      both,
      both,
    );
    expect(failures(pair)[0]).toBe('client: downgrade-detected');
  });

  test('an older one than the client takes is refused by the client', () => {
    const { wire, state } = rewriting<ServerHello>('server', serverHello, (hello) => {
      hello.legacyVersion = 0x0302;
    });
    const pair = meet({ maxVersion: 'TLSv1.2' }, {}, wire);
    expect(state.changed).toBe(1);
    expect(failures(pair)).toEqual(['client: no-common-version', 'server: alert-received']);
  });

  test('a client that falls back says so, and is refused by a server that knows better (SCSV)', () => {
    const pair = meet({ maxVersion: 'TLSv1.2', fallback: true }, {});
    expect(failures(pair)).toEqual(['client: alert-received', 'server: inappropriate-fallback']);
    expect(pair.client.errors[0]?.receivedAlert).toBe('inappropriate_fallback');
    expect(failures(meet({ maxVersion: 'TLSv1.2', fallback: true }, { maxVersion: 'TLSv1.2' }))).toEqual([]);
  });
});

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s', (maxVersion) => {
  const strong = maxVersion === 'TLSv1.3' ? 0x1301 : 0xc02b;

  test('a suite taken out of the offer is noticed', () => {
    const pair = attackClientHello(
      (hello) => {
        hello.cipherSuites = hello.cipherSuites.filter((suite) => suite !== strong);
      },
      { maxVersion },
    );
    expect(failures(pair).length).toBe(2);
    expect([...pair.client.secured, ...pair.server.secured]).toEqual([]);
  });

  test('an extension taken out of the offer is noticed', () => {
    const pair = attackClientHello((hello) => hello.extensions.arrange([...hello.extensions.ids].reverse()), {
      maxVersion,
      requestOcsp: false,
    });
    expect([...pair.client.secured, ...pair.server.secured]).toEqual([]);
  });

  test('a suite that was not offered is refused', () => {
    const { wire } = rewriting<ServerHello>('server', serverHello, (hello) => {
      // TLS_RSA_EXPORT_WITH_RC4_40_MD5.
      hello.cipherSuite = 0x0003;
    });
    expect(failures(meet({ maxVersion }, {}, wire))[0]).toBe('client: illegal-parameter');
  });

  test('the best group taken out of the offer is noticed', () => {
    const pair = attackClientHello(
      (hello) => {
        hello.extensions.set(supportedGroups, [0x0017]);
        if (maxVersion === 'TLSv1.3') hello.extensions.set(keyShare, []);
      },
      { maxVersion, groups: ['x25519', 'secp256r1'] },
    );
    expect([...pair.client.secured, ...pair.server.secured]).toEqual([]);
    expect(failures(pair).length).toBe(2);
  });
});

test('the same wire changes nothing when it is told so: it is the change that is noticed', () => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const)
    expect(failures(attackClientHello(() => {}, { maxVersion }))).toEqual([]);
});
