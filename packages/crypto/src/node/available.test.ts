import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { isAvailable } from './available.ts';
import { nodeCrypto } from './index.ts';

test.each([
  'aes-128-gcm',
  'aes-256-ccm',
  'chacha20-poly1305',
  'aes-128-ecb',
  'aes-256-cbc',
  'aes-128-ctr',
  'chacha20',
])('%s is there', (name) => {
  expect(isAvailable(name)).toBe(true);
  expect(isAvailable(name)).toBe(true);
});

test.each(['', 'no such cipher'])('"%s" is not', (name) => expect(isAvailable(name)).toBe(false));

test('a cipher that OpenSSL knows by name but cannot run is not there either', () => {
  // DES stands in OpenSSL 3's legacy provider, which few programs load.
  let runs = true;
  try {
    createCipheriv('des-cbc', new Uint8Array(8), new Uint8Array(8));
  } catch {
    runs = false;
  }
  expect(isAvailable('des-cbc')).toBe(runs);
});

test('what is said to be there can be used', () => {
  for (const name of ['aria-128-gcm', 'camellia-128-gcm'] as const) {
    const aead = nodeCrypto.aead(name, new Uint8Array(16));
    if (aead === undefined) continue;
    aead.seal(new Uint8Array(12), new Uint8Array(0), new Uint8Array(1), new Uint8Array(17), 0);
  }
  for (const name of ['aria-128-cbc', 'camellia-128-cbc'] as const)
    nodeCrypto.cipher(name, 'decrypt', new Uint8Array(16), new Uint8Array(16))?.update(new Uint8Array(32));
});
