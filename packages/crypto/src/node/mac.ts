import { createHmac, type Hmac } from 'node:crypto';
import { copyOf } from '@testudo/codec';
import type { HashName, Mac } from '../provider.ts';
import { plain } from './bytes.ts';

/** OpenSSL's HMAC (RFC 2104 §2) in steps. */
export function mac(hash: HashName, key: Uint8Array): Mac {
  const own = copyOf(key);
  let state: Hmac | undefined;
  return {
    update(data: Uint8Array): void {
      state ??= createHmac(hash, own);
      state.update(data);
    },
    digest(): Uint8Array {
      const tag = (state ?? createHmac(hash, own)).digest();
      state = undefined;
      return plain(tag);
    },
    reset(): void {
      state = undefined;
    },
  };
}
