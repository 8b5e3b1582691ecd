import { hmac } from '@noble/hashes/hmac.js';
import type { HashName, Mac } from '../provider.ts';
import { HASHES } from './hashes.ts';

/** Noble's HMAC in steps: a copy of the state that has taken the key begins each message. */
export function mac(hash: HashName, key: Uint8Array): Mac {
  const keyed = hmac.create(HASHES[hash], key);
  let state = keyed.clone();
  return {
    update(data: Uint8Array): void {
      state.update(data);
    },
    digest(): Uint8Array {
      const tag = state.digest();
      state = keyed.clone();
      return tag;
    },
    reset(): void {
      state = keyed.clone();
    },
  };
}
