import { CryptoError } from './errors.ts';
import type { Cipher } from './provider.ts';

/**
 * RC4 ("arcfour"). Home-made because neither OpenSSL 3's default provider nor noble carries it; it is here for
 * SSL 3.0 and TLS 1.0 to 1.2 as spoken by old devices (RFC 2246 §6.2.3.1) and for showing why RFC 7465 forbids it.
 * Broken: its output is biased. Never offer it by default.
 *
 * @param key 5 to 256 bytes. Throws {@link CryptoError} `bad-key` otherwise.
 */
export function rc4(key: Uint8Array): Cipher {
  if (key.length < 5 || key.length > 256) throw new CryptoError('bad-key', 'an RC4 key has 5 to 256 bytes');
  const state = schedule(key);
  let i = 0;
  let j = 0;
  return {
    update(data: Uint8Array): Uint8Array {
      const out = new Uint8Array(data.length);
      for (let n = 0; n < data.length; n++) {
        i = (i + 1) & 0xff;
        const a = state[i]!;
        j = (j + a) & 0xff;
        const b = state[j]!;
        state[i] = b;
        state[j] = a;
        out[n] = data[n]! ^ state[(a + b) & 0xff]!;
      }
      return out;
    },
  };
}

function schedule(key: Uint8Array): Uint8Array {
  const state = Uint8Array.from({ length: 256 }, (_, i) => i);
  let j = 0;
  for (let i = 0; i < 256; i++) {
    const a = state[i]!;
    j = (j + a + key[i % key.length]!) & 0xff;
    state[i] = state[j]!;
    state[j] = a;
  }
  return state;
}
