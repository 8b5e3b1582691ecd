import { fromHex, utf8 } from '@testudo/codec';
import type { HashName } from '@testudo/crypto';
import { describe, expect, test } from 'vitest';
import { PROVIDERS } from './providers.ts';

describe.each(PROVIDERS)('$name', (provider) => {
  // RFC 6070 §2 and, for SHA-256, RFC 7914 §11.
  test.each<[HashName, string, string, number, string]>([
    ['sha1', 'password', 'salt', 1, '0c60c80f961f0e71f3a9b524af6012062fe037a6'],
    ['sha1', 'password', 'salt', 4096, '4b007901b765489abead49d926f721d065a429c1'],
    [
      'sha1',
      'passwordPASSWORDpassword',
      'saltSALTsaltSALTsaltSALTsaltSALTsalt',
      4096,
      '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
    ],
    ['sha1', 'pass\0word', 'sa\0lt', 4096, '56fa6aa75548099dcc37d7f03425e0c3'],
    [
      'sha256',
      'passwd',
      'salt',
      1,
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
    ],
  ])('PBKDF2 with %s of %s', (hash, password, salt, iterations, hex) => {
    const expected = fromHex(hex);
    expect(provider.pbkdf2(hash, utf8(password), utf8(salt), iterations, expected.length)).toEqual(expected);
  });

  // RFC 7914 §12
  test.each<[string, string, { N: number; r: number; p: number }, string]>([
    [
      '',
      '',
      { N: 16, r: 1, p: 1 },
      '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906',
    ],
    [
      'password',
      'NaCl',
      { N: 1024, r: 8, p: 16 },
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
    ],
  ])('scrypt of "%s"', (password, salt, cost, hex) => {
    expect(provider.scrypt(utf8(password), utf8(salt), cost, 64)).toEqual(fromHex(hex));
  });

  test('costs and lengths that no derivation takes are refused', () => {
    const empty = new Uint8Array();
    for (const [iterations, length] of [
      [0, 32],
      [-1, 32],
      [1.5, 32],
      [2 ** 31, 32],
      [Number.NaN, 32],
      [1, 0],
      [1, 1025],
    ] as const)
      expect(() => provider.pbkdf2('sha256', empty, empty, iterations, length)).toThrow(
        expect.objectContaining({ name: 'CryptoError', code: 'bad-length' }),
      );
    for (const cost of [
      { N: 1, r: 1, p: 1 },
      { N: 15, r: 1, p: 1 },
      { N: 16, r: 0, p: 1 },
      { N: 16, r: 1, p: 0 },
      { N: 2 ** 30, r: 8, p: 1 },
      { N: 16, r: 2 ** 15, p: 2 ** 15 },
      { N: Number.NaN, r: 1, p: 1 },
    ])
      expect(() => provider.scrypt(empty, empty, cost, 32)).toThrow(
        expect.objectContaining({ name: 'CryptoError', code: 'bad-length' }),
      );
  });
});
