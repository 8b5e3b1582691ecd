import { concat, toHex } from '@testudo/codec';
import { type CipherName, CryptoError, type CryptoProvider } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { expect, test } from 'vitest';
import { type Case, runWycheproof } from './wycheproof.ts';

const suites = [
  ['aes', nodeCrypto],
  ['aes', portableCrypto],
  ['aria', nodeCrypto],
  ['camellia', nodeCrypto],
] as const;

test.each(suites)('%s-CBC of the $1.name provider agrees with Wycheproof', (cipher, provider) =>
  runWycheproof(`${cipher}_cbc_pkcs5`, 144, (c) =>
    check(provider, c, `${cipher}-${c.number('keySize')}-cbc` as CipherName),
  ),
);

test('the portable provider says that it has neither ARIA nor Camellia nor 3DES', () => {
  for (const name of ['aria-128-cbc', 'camellia-256-cbc', '3des-cbc'] as const)
    expect(portableCrypto.cipher(name, 'encrypt', new Uint8Array(16), new Uint8Array(16))).toBeUndefined();
  for (const name of ['aria-128-gcm', 'camellia-256-gcm'] as const)
    expect(portableCrypto.aead(name, new Uint8Array(16))).toBeUndefined();
});

function check(provider: CryptoProvider, testCase: Case, name: CipherName): string | undefined {
  const create = (direction: 'encrypt' | 'decrypt') =>
    provider.cipher(name, direction, testCase.bytes('key'), testCase.bytes('iv'))!;
  const sealed = testCase.bytes('ct');
  let padded: Uint8Array;
  try {
    padded = create('decrypt').update(sealed);
  } catch (error) {
    if (!(error instanceof CryptoError && error.code === 'bad-length')) return `threw ${error}`;
    return testCase.result === 'invalid' ? undefined : 'refused';
  }
  const message = unpad(padded);
  if (testCase.result === 'invalid') return message === undefined ? undefined : 'decrypted';
  if (message === undefined) return 'not padded';
  if (toHex(message) !== testCase.text('msg')) return `decrypted to ${toHex(message)}`;
  const again = create('encrypt').update(padded);
  return toHex(again) === testCase.text('ct') ? undefined : `encrypted to ${toHex(again)}`;
}

/** PKCS #7 (RFC 5652 §6.3): the ciphers here do not pad. */
function unpad(padded: Uint8Array): Uint8Array | undefined {
  const count = padded.at(-1) ?? 0;
  if (count < 1 || count > 16 || count > padded.length) return undefined;
  const message = padded.subarray(0, padded.length - count);
  const expected = concat(message, new Uint8Array(count).fill(count));
  return toHex(expected) === toHex(padded) ? message : undefined;
}
