import { CryptoError } from './errors.ts';
import type { CipherName } from './provider.ts';

/** All but RC4, which takes keys of many lengths. */
export type SizedCipherName = Exclude<CipherName, 'rc4'>;

/** Key, IV and block length in bytes; a block of 1 is a stream. */
export const CIPHER_SIZES: Readonly<
  Record<SizedCipherName, { readonly key: number; readonly iv: number; readonly block: number }>
> = {
  'aes-128-cbc': { key: 16, iv: 16, block: 16 },
  'aes-192-cbc': { key: 24, iv: 16, block: 16 },
  'aes-256-cbc': { key: 32, iv: 16, block: 16 },
  'aes-128-ctr': { key: 16, iv: 16, block: 1 },
  'aes-256-ctr': { key: 32, iv: 16, block: 1 },
  'aes-128-ecb': { key: 16, iv: 0, block: 16 },
  'aes-256-ecb': { key: 32, iv: 0, block: 16 },
  '3des-cbc': { key: 24, iv: 8, block: 8 },
  'camellia-128-cbc': { key: 16, iv: 16, block: 16 },
  'camellia-192-cbc': { key: 24, iv: 16, block: 16 },
  'camellia-256-cbc': { key: 32, iv: 16, block: 16 },
  'aria-128-cbc': { key: 16, iv: 16, block: 16 },
  'aria-192-cbc': { key: 24, iv: 16, block: 16 },
  'aria-256-cbc': { key: 32, iv: 16, block: 16 },
  'sm4-cbc': { key: 16, iv: 16, block: 16 },
  chacha20: { key: 32, iv: 16, block: 1 },
};

/** Throws {@link CryptoError} `bad-key` or `bad-length` on a key or IV of the wrong length. */
export function checkCipherLengths(name: SizedCipherName, key: Uint8Array, iv: Uint8Array): void {
  const sizes = CIPHER_SIZES[name];
  if (key.length !== sizes.key) throw new CryptoError('bad-key', `${name} takes a key of ${sizes.key} bytes`);
  if (iv.length !== sizes.iv) throw new CryptoError('bad-length', `${name} takes an IV of ${sizes.iv} bytes`);
}

/** Throws {@link CryptoError} `bad-length` unless the data are whole blocks. */
export function checkWholeBlocks(name: SizedCipherName, data: Uint8Array): void {
  const { block } = CIPHER_SIZES[name];
  if (data.length % block !== 0)
    throw new CryptoError('bad-length', `${name} takes whole blocks of ${block} bytes`);
}
