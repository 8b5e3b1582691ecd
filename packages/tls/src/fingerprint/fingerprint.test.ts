import { concat, DecodeError, fromHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { alpn } from '../extensions/alpn.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { isGrease } from '../grease.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import type { ClientHelloInfo } from '../requests.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { ja3, ja3Text, ja4, ja4Text } from './index.ts';

const pki = new TestPki(nodeCrypto);

function hello(change: {
  suites: number[];
  extensions?: ExtensionBlock<'client_hello'>;
  version?: number;
}): Uint8Array {
  return encodeMessage(clientHello, {
    legacyVersion: change.version ?? 0x0301,
    random: new Uint8Array(32),
    legacySessionId: new Uint8Array(0),
    cipherSuites: change.suites,
    legacyCompressionMethods: [0],
    extensions: change.extensions ?? new ExtensionBlock('client_hello'),
  });
}

describe('JA3', () => {
  test('the first example of the README', () => {
    const extensions = new ExtensionBlock('client_hello')
      .set(serverName, serverNamesFor('a.example'))
      .setRaw(10, [23, 24, 25] as never)
      .setRaw(11, [0] as never);
    const message = hello({ suites: [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4], extensions });
    expect(ja3Text(message)).toBe('769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0');
    expect(ja3(nodeCrypto, message)).toBe('ada70206e40642a3e4461f35503241d5');
  });

  test('the second example of the README: no extensions leave empty fields', () => {
    const message = hello({ suites: [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99] });
    expect(ja3Text(message)).toBe('769,4-5-10-9-100-98-3-6-19-18-99,,,');
    expect(ja3(nodeCrypto, message)).toBe('de350869b8c85de67a350c8d186f11e6');
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['half a hello', hello({ suites: [4] }).subarray(0, 30)],
    ['a hello with something behind it', concat(hello({ suites: [4] }), Uint8Array.of(0, 0, 1))],
  ])('%s is refused with a typed error', (_what, bytes) => {
    expect(() => ja3(nodeCrypto, bytes)).toThrow(DecodeError);
    expect(() => ja4(nodeCrypto, bytes)).toThrow(DecodeError);
  });
});

describe('JA4', () => {
  // The examples of the specification.
  test.each([
    [[0xab], 'ab'],
    [[0x20], '20'],
    [[0xab, 0xcd], 'ad'],
    [[0x20, 0x61], '21'],
    [[0x30, 0xab], '3b'],
    [[0x61, 0x20], '60'],
    [[0x30, 0x31, 0xab, 0xcd], '3d'],
    [[0x30, 0xab, 0xcd, 0x31], '01'],
    [[0x68], 'hh'],
  ])('a protocol of the bytes %j shows as %s', (bytes, shown) => {
    const extensions = new ExtensionBlock('client_hello').set(alpn, [String.fromCharCode(...bytes)]);
    expect(ja4Text(hello({ suites: [4], extensions })).slice(8, 10)).toBe(shown);
  });

  test('what is missing is said with zeros', () => {
    expect(ja4(nodeCrypto, hello({ suites: [0x0a0a] }))).toBe('t10i000000_000000000000_000000000000');
  });

  test.each([
    [0x0303, '12'],
    [0x0302, '11'],
    [0x0300, 's3'],
    [0x0305, '00'],
  ])('version 0x%s', (version, shown) => {
    expect(ja4Text(hello({ suites: [4], version })).slice(1, 3)).toBe(shown);
  });

  test('more than 99 suites are counted as 99, and over QUIC it says so', () => {
    const suites = Array.from({ length: 120 }, (_, i) => i);
    expect(ja4Text(hello({ suites }), { transport: 'quic' }).slice(0, 6)).toBe('q10i99');
  });
});

describe('a server', () => {
  test('sees the fingerprints of the hello that the client sent', () => {
    const seen: ClientHelloInfo[] = [];
    const server = serverEnd(
      serverConfig({
        provider: nodeCrypto,
        credentials: (info) => {
          seen.push(info);
          return [pki.server()];
        },
      }),
    );
    const client = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate: pki.verifier() }));
    const sent: Uint8Array[] = [];
    const pair = new Pair(client, server, (bytes) => {
      sent.push(bytes);
      return [bytes];
    });
    pair.pump();
    expect(client.errors).toEqual([]);
    const message = sent[0]!.subarray(5);
    expect(seen[0]!.message).toEqual(message);
    expect(seen[0]!.ja3).toBe(ja3(nodeCrypto, message));
    expect(seen[0]!.ja4).toMatch(/^t13d\d{4}00_[0-9a-f]{12}_[0-9a-f]{12}$/);
  });
});

test('GREASE values are the sixteen of RFC 8701', () => {
  const all = Array.from({ length: 0x10000 }, (_, value) => value).filter(isGrease);
  expect(all).toHaveLength(16);
  expect(all[0]).toBe(0x0a0a);
  expect(all.at(-1)).toBe(0xfafa);
  expect(fromHex('3a3a')).toEqual(Uint8Array.of(all[3]! >> 8, all[3]! & 0xff));
});
