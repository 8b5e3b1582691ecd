import { concat } from '@testudo/codec';
import { AEAD_SIZES, type AeadName, MAX_TAIL } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { PROVIDERS } from './providers.ts';

// A plaintext in two pieces is sealed as it would be in one.

const NAMES = Object.keys(AEAD_SIZES) as AeadName[];
const nonce = nodeCrypto.randomBytes(12);
const additionalData = nodeCrypto.randomBytes(5);

describe.each(PROVIDERS)('a tail behind the plaintext, by $name', (provider) => {
  test.each(NAMES.filter((name) => provider.aead(name, new Uint8Array(AEAD_SIZES[name].key)) !== undefined))(
    '%s',
    (name) => {
      const { key: keyLength, tag } = AEAD_SIZES[name];
      const aead = provider.aead(name, nodeCrypto.randomBytes(keyLength))!;
      for (const length of [0, 1, 16, 47, 48, 63, 64, 65, 100, 1000, 16384])
        for (const tailLength of [0, 1, MAX_TAIL]) {
          const text = nodeCrypto.randomBytes(length);
          const tail = nodeCrypto.randomBytes(tailLength);
          const whole = concat(text, tail);
          const expected = new Uint8Array(whole.length + tag);
          aead.seal(nonce, additionalData, whole, expected, 0);

          const apart = new Uint8Array(3 + expected.length);
          aead.seal(nonce, additionalData, text, apart, 3, tail);
          expect(apart.subarray(3)).toEqual(expected);

          // In place, the tail where its ciphertext goes.
          const inPlace = concat(whole, new Uint8Array(tag));
          const [first, second] = [inPlace.subarray(0, length), inPlace.subarray(length, whole.length)];
          aead.seal(nonce, additionalData, first, inPlace, 0, second);
          expect(inPlace).toEqual(expected);
        }
    },
  );

  test('one that is too long, or has no room, is refused', () => {
    const aead = provider.aead('aes-128-gcm', new Uint8Array(16))!;
    for (const length of [10, 1000]) {
      const text = new Uint8Array(length);
      const refused = (room: number, tail: number): void =>
        expect(() =>
          aead.seal(nonce, additionalData, text, new Uint8Array(room), 0, new Uint8Array(tail)),
        ).toThrow(expect.objectContaining({ code: 'bad-length' }));
      refused(5000, MAX_TAIL + 1);
      refused(length + 16, 1);
      refused(length + 1 + 15, 1);
      aead.seal(nonce, additionalData, text, new Uint8Array(length + 1 + 16), 0, new Uint8Array(1));
    }
  });
});
