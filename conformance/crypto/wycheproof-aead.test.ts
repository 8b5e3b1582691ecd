import { concat, toHex } from '@testudo/codec';
import type { AeadName, CryptoProvider } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, test } from 'vitest';
import { PROVIDERS } from './providers.ts';
import { type Case, runWycheproof } from './wycheproof.ts';

describe.each(PROVIDERS)('AEADs of the $name provider agree with Wycheproof', (provider) => {
  const check = (testCase: Case, name: AeadName): string | undefined => checkAead(provider, testCase, name);

  const aesName = (testCase: Case, mode: 'gcm' | 'ccm'): AeadName => {
    const short = testCase.number('tagSize') === 64 ? '-8' : '';
    return `aes-${testCase.number('keySize')}-${mode}${short}` as AeadName;
  };

  test('AES-GCM', () => runWycheproof('aes_gcm', 133, (c) => check(c, aesName(c, 'gcm'))));
  test('AES-CCM', () => runWycheproof('aes_ccm', 172, (c) => check(c, aesName(c, 'ccm'))));
  test('ChaCha20-Poly1305', () =>
    runWycheproof('chacha20_poly1305', 316, (c) => check(c, 'chacha20-poly1305')));
});

test('ARIA-GCM of the node provider agrees with Wycheproof', () =>
  runWycheproof('aria_gcm', 130, (c) => {
    const name = `aria-${c.number('keySize')}-gcm` as AeadName;
    return checkAead(nodeCrypto, c, name);
  }));

function checkAead(provider: CryptoProvider, testCase: Case, name: AeadName): string | undefined {
  const aead = provider.aead(name, testCase.bytes('key'))!;
  const nonce = testCase.bytes('iv');
  const additionalData = testCase.bytes('aad');
  const message = testCase.bytes('msg');
  const sealed = concat(testCase.bytes('ct'), testCase.bytes('tag'));

  const opened = aead.open(nonce, additionalData, sealed);
  if (testCase.result === 'invalid') return opened === undefined ? undefined : 'opened';
  if (opened === undefined) return 'did not open';
  if (toHex(opened) !== toHex(message)) return `opened to ${toHex(opened)}`;

  // In place, in the middle of a larger buffer, as a record is sealed.
  const out = new Uint8Array(3 + message.length + aead.tagLength + 2).fill(0xee);
  out.set(message, 3);
  aead.seal(nonce, additionalData, out.subarray(3, 3 + message.length), out, 3);
  return toHex(out) === `eeeeee${toHex(sealed)}eeee` ? undefined : `sealed to ${toHex(out)}`;
}
