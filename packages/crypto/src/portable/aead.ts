import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { copyOf } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import { AEAD_NONCE_LENGTH, AEAD_SIZES, type Aead, type AeadName } from '../provider.ts';
import { withTail } from '../tail.ts';
import { openCcm, sealCcm } from './ccm.ts';

export function aead(name: AeadName, key: Uint8Array): Aead | undefined {
  const sizes = AEAD_SIZES[name];
  if (sizes === undefined || name.startsWith('aria') || name.startsWith('camellia')) return undefined;
  if (key.length !== sizes.key) throw new CryptoError('bad-key', `${name} takes a key of ${sizes.key} bytes`);
  const own = copyOf(key);
  const { seal, open } = name.includes('ccm') ? ccmMode(own, sizes.tag) : nobleMode(name, own);

  function checkLengths(nonce: Uint8Array, length: number): void {
    if (nonce.length !== AEAD_NONCE_LENGTH)
      throw new CryptoError('bad-length', `${name} takes a nonce of ${AEAD_NONCE_LENGTH} bytes`);
    // RFC 3610 §2.1: a 12-byte nonce leaves CCM three bytes for the length.
    if (length > 0xff_ffff && name.includes('ccm'))
      throw new CryptoError('bad-length', `${name} takes less than 16 MiB at once`);
  }

  return {
    name,
    tagLength: sizes.tag,
    seal(nonce, additionalData, plaintext, out, at, tail): void {
      const whole = tail === undefined ? plaintext : withTail(plaintext, tail);
      checkLengths(nonce, whole.length);
      if (at < 0 || out.length - at < whole.length + sizes.tag)
        throw new CryptoError('bad-length', 'no room for ciphertext and tag');
      out.set(seal(nonce, additionalData, whole), at);
    },
    open(nonce, additionalData, sealed): Uint8Array | undefined {
      checkLengths(nonce, sealed.length - sizes.tag);
      return sealed.length < sizes.tag ? undefined : open(nonce, additionalData, sealed);
    },
  };
}

interface Mode {
  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

function ccmMode(key: Uint8Array, tagLength: number): Mode {
  return {
    seal: (nonce, additionalData, plaintext) => sealCcm(key, tagLength, nonce, additionalData, plaintext),
    open: (nonce, additionalData, sealed) => openCcm(key, tagLength, nonce, additionalData, sealed),
  };
}

function nobleMode(name: AeadName, key: Uint8Array): Mode {
  const create = name === 'chacha20-poly1305' ? chacha20poly1305 : gcm;
  return {
    seal: (nonce, additionalData, plaintext) => create(key, nonce, additionalData).encrypt(plaintext),
    open(nonce, additionalData, sealed) {
      try {
        return create(key, nonce, additionalData).decrypt(sealed);
      } catch {
        return undefined;
      }
    },
  };
}
