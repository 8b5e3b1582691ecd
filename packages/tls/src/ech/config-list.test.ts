import { DecodeError, fromBase64, toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { echWorld, listOf } from '../testing/ech.ts';
import {
  type EchConfigContents,
  encodeEchConfig,
  encodeEchConfigList,
  parseEchConfigList,
} from './config-list.ts';
import { generateEchKey } from './keys.ts';
import { isPublicName } from './public-name.ts';

const { echKey, echPki } = echWorld(nodeCrypto);

const CONTENTS: EchConfigContents = {
  configId: 7,
  kem: 0x0020,
  publicKey: new Uint8Array(32).fill(9),
  cipherSuites: [{ kdf: 1, aead: 1 }],
  maximumNameLength: 0,
  publicName: 'public.example',
  extensions: [],
};
const config = (more: Partial<EchConfigContents> = {}) => encodeEchConfig({ ...CONTENTS, ...more });
const problemOf = (more: Partial<EchConfigContents>) =>
  parseEchConfigList(encodeEchConfigList([config(more)]))[0]!.problem;

describe('an ECHConfigList', () => {
  test('of a public test server is read', () => {
    const list = fromBase64(
      'AEn+DQBFKwAgACABWIHUGj4u+PIggYXcR5JF0gYk3dCRioBW8uJq9H4mKAAIAAEAAQABAANAEnB1YmxpYy50bHMtZWNoLmRldgAA',
    );
    expect(parseEchConfigList(list)).toMatchObject([
      {
        configId: 0x2b,
        kem: 0x0020,
        cipherSuites: [
          { kdf: 1, aead: 1 },
          { kdf: 1, aead: 3 },
        ],
        maximumNameLength: 64,
        publicName: 'public.tls-ech.dev',
        extensions: [],
        problem: undefined,
        bytes: list.subarray(2),
      },
    ]);
  });

  test('is written field by field as RFC 9849 §4 has it', () => {
    const bytes = config({ extensions: [{ type: 5, data: Uint8Array.of(1, 2) }], maximumNameLength: 3 });
    expect(toHex(bytes)).toBe(
      `fe0d0043${'07'}${'0020'}0020${'09'.repeat(32)}${'0004'}00010001${'03'}0e${Buffer.from('public.example').toString('hex')}0006${'0005'}0002${'0102'}`,
    );
  });

  test('leaves out other versions, and keeps the order', () => {
    const other = Uint8Array.of(0xfe, 0x0a, 0, 3, 1, 2, 3);
    const list = encodeEchConfigList([other, config({ configId: 2 }), other, config({ configId: 1 })]);
    expect(parseEchConfigList(list).map(({ configId }) => configId)).toEqual([2, 1]);
    expect(parseEchConfigList(encodeEchConfigList([other]))).toEqual([]);
  });

  test('comes back as it was written', () => {
    const contents = fc.record({
      configId: fc.integer({ min: 0, max: 255 }),
      kem: fc.integer({ min: 0, max: 0xffff }),
      publicKey: fc.uint8Array({ minLength: 1, maxLength: 200 }),
      cipherSuites: fc.array(
        fc.record({ kdf: fc.integer({ min: 0, max: 0xffff }), aead: fc.integer({ min: 0, max: 0xffff }) }),
        { minLength: 1, maxLength: 9 },
      ),
      maximumNameLength: fc.integer({ min: 0, max: 255 }),
      publicName: fc.stringMatching(/^[a-z0-9.-]{1,80}$/),
      extensions: fc.array(
        fc.record({ type: fc.integer({ min: 0, max: 0xffff }), data: fc.uint8Array({ maxLength: 20 }) }),
        { maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(fc.array(contents, { minLength: 1, maxLength: 3 }), (all) => {
        const parsed = parseEchConfigList(encodeEchConfigList(all.map(encodeEchConfig)));
        expect(parsed.map(({ bytes: _bytes, problem: _problem, ...fields }) => fields)).toEqual(all);
        expect(parsed.map(({ bytes }) => bytes)).toEqual(all.map(encodeEchConfig));
      }),
    );
  });

  test.each([
    ['nothing', []],
    ['no entries', [0, 0]],
    ['half an entry', [0, 2, 0xfe, 0x0d]],
    ['an entry that is longer than the list', [0, 4, 0xfe, 0x0d, 0, 1]],
    ['an entry of this version that is too short', [0, 5, 0xfe, 0x0d, 0, 1, 7]],
    ['bytes after it', [...listOf(echKey()), 0]],
  ])('of %s is refused', (_what, bytes) => {
    expect(() => parseEchConfigList(Uint8Array.from(bytes))).toThrow(DecodeError);
  });

  test('that was changed or cut anywhere is read or refused, in the same way each time', () => {
    const list = listOf(echKey(), echKey({ kem: 'secp256r1' }));
    for (let at = 0; at < list.length; at++) {
      for (const change of [1, 0x80, 0xff]) {
        const copy = new Uint8Array(list);
        copy[at]! ^= change;
        expectTyped(() => parseEchConfigList(copy));
      }
      expectTyped(() => parseEchConfigList(list.subarray(0, at)));
    }
  });

  function expectTyped(act: () => unknown): void {
    try {
      act();
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }
});

describe('a configuration must not be used', () => {
  test.each([
    [
      'with a mandatory extension that is not known',
      { extensions: [{ type: 0x8001, data: new Uint8Array(0) }] },
    ],
    [
      'with an extension twice',
      {
        extensions: [
          { type: 1, data: new Uint8Array(0) },
          { type: 1, data: new Uint8Array(1) },
        ],
      },
    ],
    ['for no host name', { publicName: 'a b.example' }],
    ['for an address', { publicName: '192.0.2.1' }],
  ])('%s', (_what, more) => {
    expect(problemOf(more)).toEqual(expect.any(String));
  });

  test('with an optional extension it may', () => {
    expect(problemOf({ extensions: [{ type: 0x7fff, data: new Uint8Array(9) }] })).toBeUndefined();
  });

  test.each(['a.example', 'xn--bcher-kva.example', 'a', '1.2.3.4a', '0x1g', 'a-b.c0', 'A.EXAMPLE'])(
    'the name %s may be used',
    (name) => expect(isPublicName(name)).toBe(true),
  );

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a_b.example',
    '-a.example',
    'a-.example',
    `${'a'.repeat(64)}.example`,
    '192.0.2.1',
    'a.1',
    'a.0x',
    'a.0xF0',
    'a.0X1',
    '::1',
    'bücher.example',
    'a.example\0',
  ])('the name %j may not', (name) => expect(isPublicName(name)).toBe(false));
});

describe('options', () => {
  const provider = nodeCrypto;
  const client =
    (configs: Uint8Array, more: object = {}) =>
    () =>
      clientConfig({ provider, verifyCertificate: echPki.verifier(), ech: { configs }, ...more });
  const good = echKey();
  const bad = { code: 'bad-option' };

  test.each([
    ['that are no list', new Uint8Array(3)],
    ['of another version', Uint8Array.of(0, 6, 0xfe, 0x0a, 0, 2, 1, 2)],
    ['with an unknown KEM', encodeEchConfigList([config({ kem: 0x7777 })])],
    ['with unknown suites', encodeEchConfigList([config({ cipherSuites: [{ kdf: 1, aead: 0x7777 }] })])],
    ['that can only export', encodeEchConfigList([config({ cipherSuites: [{ kdf: 1, aead: 0xffff }] })])],
    ['with a key that is none', encodeEchConfigList([config({ publicKey: new Uint8Array(31).fill(1) })])],
    ['with a key of a small group', encodeEchConfigList([config({ publicKey: new Uint8Array(32) })])],
    ['that must not be used', encodeEchConfigList([config({ publicName: '127.0.0.1' })])],
  ])('of a client, with configurations %s: no name in the clear instead', (_what, configs) => {
    expect(client(configs)).toThrow(expect.objectContaining(bad));
  });

  test('of a client skip what it cannot use', () => {
    const configs = encodeEchConfigList([
      config({ kem: 0x7777 }),
      config({ publicName: 'a.1' }),
      good.config,
    ]);
    expect(client(configs)().echOffer).toMatchObject({ config: { bytes: good.config } });
  });

  test.each([
    ['without TLS 1.3', { maxVersion: 'TLSv1.2' }],
    ['with protocols that are none', { ech: { configs: listOf(good), outerAlpnProtocols: [''] } }],
  ])('of a client are refused %s', (_what, more) => {
    expect(client(listOf(good), more)).toThrow(expect.objectContaining(bad));
  });

  const server =
    (...echKeys: readonly object[]) =>
    () =>
      serverConfig({ provider, credentials: [echPki.server()], echKeys: echKeys as never });

  test.each([
    ['none', []],
    ['none for retries', [{ ...good, isRetry: false }]],
    ['a private key of another', [{ ...good, privateKey: echKey().privateKey }]],
    ['a private key that is too short', [{ ...good, privateKey: new Uint8Array(31) }]],
    ['no private key', [{ ...good, privateKey: new Uint8Array(0) }]],
    ['a list in place of a configuration', [{ ...good, config: listOf(good) }]],
    ['a configuration of another version', [{ ...good, config: Uint8Array.of(0xfe, 0x0a, 0, 1, 1) }]],
    ['a configuration that is cut', [{ ...good, config: good.config.subarray(0, 50) }]],
    ['a configuration with more after it', [{ ...good, config: Uint8Array.from([...good.config, 0]) }]],
    ['suites that nobody knows', [{ ...good, config: config({ cipherSuites: [{ kdf: 9, aead: 9 }] }) }]],
  ])('of a server are refused with %s', (_what, keys) => {
    expect(server(...keys)).toThrow(expect.objectContaining(bad));
  });

  test('of a server say nothing of a private key', () => {
    const secret = new Uint8Array(32).fill(0xab);
    try {
      server({ ...good, privateKey: secret })();
      expect.unreachable();
    } catch (error) {
      expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toMatch(/abab|171/);
    }
  });

  test.each([
    ['no name', { publicName: '' }],
    ['an address', { publicName: '192.0.2.1' }],
    ['a name that is too long', { publicName: `${'a.'.repeat(128)}aa` }],
    ['a number over 255', { configId: 256 }],
    ['a negative number', { configId: -1 }],
    ['half a number', { configId: 1.5 }],
    ['a longest name over 255', { maximumNameLength: 256 }],
    ['a suite that nobody knows', { cipherSuites: [{ kdf: 1, aead: 0x7777 }] }],
    ['no suite', { cipherSuites: [] }],
  ])('of a new key are refused: %s', (_what, more) => {
    expect(() => generateEchKey(provider, { publicName: 'a.example', ...more })).toThrow(
      expect.objectContaining(bad),
    );
  });

  test('of a new key: what is not said is chosen', () => {
    const keys = Array.from({ length: 40 }, () => generateEchKey(provider, { publicName: 'a.example' }));
    const parsed = parseEchConfigList(listOf(...keys));
    expect(new Set(parsed.map(({ configId }) => configId)).size).toBeGreaterThan(20);
    expect(new Set(parsed.map(({ publicKey }) => toHex(publicKey))).size).toBe(40);
    expect(parsed[0]).toMatchObject({
      kem: 0x0020,
      maximumNameLength: 0,
      publicName: 'a.example',
      extensions: [],
    });
    expect(parsed[0]!.cipherSuites).toHaveLength(3);
    expect(keys[0]!.isRetry).toBe(true);
  });
});
