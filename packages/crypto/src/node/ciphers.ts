import { createCipheriv, createDecipheriv } from 'node:crypto';
import { CIPHER_SIZES, checkCipherLengths, checkWholeBlocks } from '../cipher-sizes.ts';
import type { Cipher, CipherName } from '../provider.ts';
import { rc4 } from '../rc4.ts';
import { isAvailable } from './available.ts';
import { plain } from './bytes.ts';

export function cipher(
  name: CipherName,
  direction: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
): Cipher | undefined {
  if (name === 'rc4') return rc4(key);
  const sizes = CIPHER_SIZES[name];
  const algorithm = name === '3des-cbc' ? 'des-ede3-cbc' : name;
  if (sizes === undefined || !isAvailable(algorithm)) return undefined;
  checkCipherLengths(name, key, iv);
  const create = direction === 'encrypt' ? createCipheriv : createDecipheriv;
  const state = create(algorithm, key, sizes.iv === 0 ? null : iv).setAutoPadding(false);
  return {
    update(data: Uint8Array): Uint8Array {
      checkWholeBlocks(name, data);
      return plain(state.update(data));
    },
  };
}
