import { toHex } from '@testudo/codec';
import { CryptoError, unpadPkcs1 } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { expect, test } from 'vitest';
import { runWycheproof } from './wycheproof.ts';

/** RFC 8017 §7.2.2, step 3, as plainly as can be: what TLS does in constant time is above the provider. */
function unpad(encoded: Uint8Array): Uint8Array | undefined {
  const end = encoded.indexOf(0, 2);
  return encoded[0] === 0 && encoded[1] === 2 && end >= 10 ? encoded.subarray(end + 1) : undefined;
}

test('raw RSA decryption of the node provider agrees with Wycheproof', () =>
  runWycheproof('rsa_pkcs1_2048', 67, (c) => {
    const key = nodeCrypto.importPrivateKey(c.bytes('privateKeyPkcs8'));
    let message: Uint8Array | undefined;
    try {
      message = unpad(nodeCrypto.rsaDecryptRaw(key, c.bytes('ct')));
    } catch (error) {
      if (!(error instanceof CryptoError && error.code === 'bad-length')) return `threw ${error}`;
    }
    if (c.result === 'invalid') return message === undefined ? undefined : 'decrypted';
    if (message === undefined) return 'refused';
    return toHex(message) === c.text('msg') ? undefined : `decrypted to ${toHex(message)}`;
  }));

test('unpadding in constant flow agrees with Wycheproof, for a message of the length awaited', () => {
  const fallbackByte = 0xa7;
  return runWycheproof('rsa_pkcs1_2048', 67, (c) => {
    const key = nodeCrypto.importPrivateKey(c.bytes('privateKeyPkcs8'));
    const expected = c.result === 'invalid' ? undefined : c.bytes('msg');
    let block: Uint8Array;
    try {
      block = nodeCrypto.rsaDecryptRaw(key, c.bytes('ct'));
    } catch {
      return c.result === 'invalid' ? undefined : 'refused';
    }
    for (const length of [0, 1, 47, 48, 49, expected?.length ?? 5, 245]) {
      const fallback = new Uint8Array(length).fill(fallbackByte);
      const message = unpadPkcs1(block, length, fallback);
      const wanted = expected?.length === length ? expected : fallback;
      if (toHex(message) !== toHex(wanted)) return `gave ${toHex(message)}`;
    }
    return undefined;
  });
});

test('the portable provider says that it cannot decrypt RSA', () => {
  const key = nodeCrypto.generateKey({ type: 'rsa', bits: 1024 });
  expect(() => portableCrypto.rsaDecryptRaw(key, new Uint8Array(128))).toThrowError(
    expect.objectContaining({ code: 'unsupported' }),
  );
});
