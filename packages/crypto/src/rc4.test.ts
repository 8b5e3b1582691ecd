import { fromHex, toHex, utf8 } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { rc4 } from './rc4.ts';

describe('RC4', () => {
  // RFC 6229 §2: key, and the 16 bytes of key stream at some offsets.
  test.each([
    [
      '0102030405',
      {
        0: 'b2396305f03dc027ccc3524a0a1118a8',
        16: '6982944f18fc82d589c403a47a0d0919',
        240: '28cb1132c96ce286421dcaadb8b69eae',
        256: '1cfcf62b03eddb641d77dfcf7f8d8c93',
        496: '42b7d0cdd918a8a33dd51781c81f4041',
      },
    ],
    [
      '0102030405060708090a0b0c0d0e0f10',
      {
        0: '9ac7cc9a609d1ef7b2932899cde41b97',
        16: '5248c4959014126a6e8a84f11d1a9e1c',
        240: '065902e4b620f6cc36c8589f66432f2b',
        256: 'd39d566bc6bce3010768151549f3873f',
        4096: 'a36a4c301ae8ac13610ccbc12256cacc',
      },
    ],
    [
      '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
      {
        0: 'eaa6bd25880bf93d3f5d1e4ca2611d91',
        16: 'cfa45c9f7e714b54bdfa80027cb14380',
        240: '114ae344ded71b35f2e60febad727fd8',
        256: '02e1e7056b0f623900496422943e97b6',
        496: '91cb93c787964e10d9527d999c6f936b',
        512: '49b18b42f8e8367cbeb5ef104ba1c7cd',
      },
    ],
  ] as const)('gives the key stream of RFC 6229 for %s', (key, expected) => {
    const stream = rc4(fromHex(key)).update(new Uint8Array(4112));
    for (const [offset, bytes] of Object.entries(expected))
      expect(toHex(stream.subarray(Number(offset), Number(offset) + 16))).toBe(bytes);
  });

  test('runs on from one piece to the next', () => {
    const key = utf8('a key of some bytes');
    const pieces = rc4(key);
    const text = utf8('not one but three pieces');
    const sealed = [text.subarray(0, 1), text.subarray(1, 14), text.subarray(14)].map((piece) =>
      toHex(pieces.update(piece)),
    );
    expect(sealed.join('')).toBe(toHex(rc4(key).update(text)));
    expect(rc4(key).update(fromHex(sealed.join('')))).toEqual(text);
  });

  test.each([0, 4, 257])('refuses a key of %i bytes', (length) => {
    expect(() => rc4(new Uint8Array(length))).toThrowError(expect.objectContaining({ code: 'bad-key' }));
  });
});
