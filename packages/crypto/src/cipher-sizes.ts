import type { CipherName } from './provider.ts';

/** Key, IV and block length in bytes; a block of 1 is a stream. */
export const CIPHER_SIZES: Readonly<
  Record<Exclude<CipherName, 'rc4'>, { readonly key: number; readonly iv: number; readonly block: number }>
> = {
  'aes-128-cbc': { key: 16, iv: 16, block: 16 },
  'aes-256-cbc': { key: 32, iv: 16, block: 16 },
  'aes-128-ctr': { key: 16, iv: 16, block: 1 },
  'aes-256-ctr': { key: 32, iv: 16, block: 1 },
  'aes-128-ecb': { key: 16, iv: 0, block: 16 },
  'aes-256-ecb': { key: 32, iv: 0, block: 16 },
  '3des-cbc': { key: 24, iv: 8, block: 8 },
  'camellia-128-cbc': { key: 16, iv: 16, block: 16 },
  'camellia-256-cbc': { key: 32, iv: 16, block: 16 },
  'aria-128-cbc': { key: 16, iv: 16, block: 16 },
  'aria-256-cbc': { key: 32, iv: 16, block: 16 },
  chacha20: { key: 32, iv: 16, block: 1 },
};
