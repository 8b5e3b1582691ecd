import { createPrivateKey } from 'node:crypto';
import { decodePem, encodePem, type PemBlock } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { echWorld, listOf } from '../testing/ech.ts';
import { parseEchConfigList } from './config-list.ts';
import type { EchKey } from './keys.ts';
import { echKeyToPem, parseEchKeys } from './pem.ts';

const { echKey, echPki } = echWorld(nodeCrypto);

// Keys in PEM files (RFC 9934).

/** From OpenSSL's test/ech_test.c (Apache-2.0). */
const OPENSSL = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEILDIeo9Eqc4K9/uQ0PNAyMaP60qrxiSHT2tNZL3ksIZS
-----END PRIVATE KEY-----
-----BEGIN ECHCONFIG-----
AD7+DQA6bAAgACCY7B0f/3KvHIFdoqFaObdU8YYU+MdBf4vzbLhAAL2QCwAEAAEA
AQALZXhhbXBsZS5jb20AAA==
-----END ECHCONFIG-----
`;

/** Throws where key and configuration do not belong together. */
const use = (echKeys: readonly EchKey[]) =>
  serverConfig({ provider: nodeCrypto, credentials: [echPki.server()], echKeys });

describe('a file of OpenSSL', () => {
  test('is read', () => {
    const keys = parseEchKeys(OPENSSL);
    expect(keys).toHaveLength(1);
    expect(parseEchConfigList(listOf(...keys))).toMatchObject([
      { configId: 0x6c, publicName: 'example.com' },
    ]);
    expect(() => use(keys)).not.toThrow();
  });

  test('comes back as it was', () => {
    expect(echKeyToPem(parseEchKeys(OPENSSL)[0]!)).toBe(OPENSSL);
  });
});

describe.each(['x25519', 'secp256r1'] as const)('a key for %s', (kem) => {
  test('comes back as it was', () => {
    const key = echKey({ kem });
    const read = parseEchKeys(echKeyToPem(key));
    expect(read).toEqual([{ config: key.config, privateKey: key.privateKey }]);
    expect(() => use(read)).not.toThrow();
  });

  test('is a private key to Node', () => {
    const node = createPrivateKey(echKeyToPem(echKey({ kem })));
    expect(node.asymmetricKeyType).toBe(kem === 'x25519' ? 'x25519' : 'ec');
  });

  test('may come from Node', () => {
    const key = echKey({ kem });
    const [first, list] = decodePem(echKeyToPem(key));
    const again = createPrivateKey({ key: Buffer.from(first!.bytes), format: 'der', type: 'pkcs8' });
    const pem = again.export({ format: 'pem', type: 'pkcs8' }) + encodePem('ECHCONFIG', list!.bytes);
    expect(parseEchKeys(pem)[0]!.privateKey).toEqual(key.privateKey);
  });
});

test('configurations of one key are read all, those of other versions are left out', () => {
  const key = echKey();
  const other = Uint8Array.of(0xfe, 0x0a, 0, 1, 9);
  const [first] = decodePem(echKeyToPem(key));
  const list = listOf(key, { ...key, config: other }, key);
  const pem = encodePem('PRIVATE KEY', first!.bytes) + encodePem('ECHCONFIG', list);
  expect(parseEchKeys(pem).map(({ config }) => config)).toEqual([key.config, key.config]);
});

describe('is refused:', () => {
  const key = echKey();
  const [secret, list] = decodePem(echKeyToPem(key)) as [PemBlock, PemBlock];
  const privatePem = encodePem('PRIVATE KEY', secret.bytes);
  const configPem = encodePem('ECHCONFIG', list.bytes);
  const otherPem = echKeyToPem(echKey({ kem: 'secp256r1' }));
  const ed25519 = encodePem(
    'PRIVATE KEY',
    // The same bytes under another algorithm.
    secret.bytes.map((byte, at) => (at === 11 ? 0x70 : byte)),
  );

  test.each([
    ['an empty file', '', 'must hold'],
    ['a private key alone', privatePem, 'must hold'],
    ['a configuration alone', configPem, 'must hold'],
    ['the other order', configPem + privatePem, 'must hold'],
    ['two private keys', privatePem + privatePem + configPem, 'must hold'],
    ['two lists', privatePem + configPem + configPem, 'must hold'],
    ['a certificate instead', privatePem + encodePem('CERTIFICATE', list.bytes), 'must hold'],
    ['broken base64', privatePem + configPem.replace('AQ', '*?'), 'is not PEM'],
    [
      'a private key that ends early',
      encodePem('PRIVATE KEY', secret.bytes.subarray(0, 30)) + configPem,
      'PKCS',
    ],
    ['a private key that is none', encodePem('PRIVATE KEY', new Uint8Array(48)) + configPem, 'PKCS'],
    ['a key of another algorithm', ed25519 + configPem, 'algorithm'],
    [
      'a key of another kind',
      encodePem('PRIVATE KEY', decodePem(otherPem)[0]!.bytes) + configPem,
      'a different kind',
    ],
    ['a list that is none', privatePem + encodePem('ECHCONFIG', list.bytes.subarray(0, 40)), 'ECHConfigList'],
    [
      'a list of other versions',
      privatePem + encodePem('ECHCONFIG', Uint8Array.of(0, 5, 0xfe, 0x0a, 0, 1, 9)),
      '0xfe0d',
    ],
  ])('%s', (_what, pem, message) => {
    try {
      parseEchKeys(pem);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-option', message: expect.stringContaining(message) });
      expect((error as Error).cause).toBeUndefined();
    }
  });

  test('a key of another configuration, when it is used', () => {
    const pem = encodePem('PRIVATE KEY', decodePem(echKeyToPem(echKey()))[0]!.bytes) + configPem;
    expect(() => use(parseEchKeys(pem))).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  test('a key to be written that has no form', () => {
    const config = new Uint8Array(key.config);
    config[6] = 0x7f;
    expect(() => echKeyToPem({ ...key, config })).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});
