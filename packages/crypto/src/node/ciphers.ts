import { createCipheriv, createDecipheriv } from 'node:crypto';
import { CIPHER_SIZES } from '../cipher-sizes.ts';
import { CryptoError } from '../errors.ts';
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
  if (key.length !== sizes.key) throw new CryptoError('bad-key', `${name} takes a key of ${sizes.key} bytes`);
  if (iv.length !== sizes.iv) throw new CryptoError('bad-length', `${name} takes an IV of ${sizes.iv} bytes`);
  const create = direction === 'encrypt' ? createCipheriv : createDecipheriv;
  const state = create(algorithm, key, sizes.iv === 0 ? null : iv).setAutoPadding(false);
  return {
    update(data: Uint8Array): Uint8Array {
      if (data.length % sizes.block !== 0)
        throw new CryptoError('bad-length', `${name} takes whole blocks of ${sizes.block} bytes`);
      return plain(state.update(data));
    },
  };
}
