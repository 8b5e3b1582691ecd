import { toHex } from '@testudo/codec';
import { CryptoError } from '@testudo/crypto';
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

test('the portable provider says that it cannot decrypt RSA', () => {
  const key = nodeCrypto.generateKey({ type: 'rsa', bits: 1024 });
  expect(() => portableCrypto.rsaDecryptRaw(key, new Uint8Array(128))).toThrowError(
    expect.objectContaining({ code: 'unsupported' }),
  );
});
