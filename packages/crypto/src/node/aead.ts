import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto';
import { copyOf } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import { AEAD_NONCE_LENGTH, AEAD_SIZES, type Aead, type AeadName } from '../provider.ts';
import { tailLength, withTail } from '../tail.ts';
import { isAvailable } from './available.ts';
import { plain } from './bytes.ts';

export function aead(name: AeadName, key: Uint8Array): Aead | undefined {
  const algorithm = ALGORITHMS[name];
  if (algorithm === undefined || !isAvailable(algorithm)) return undefined;
  const sizes = AEAD_SIZES[name];
  if (key.length !== sizes.key) throw new CryptoError('bad-key', `${name} takes a key of ${sizes.key} bytes`);
  return new OpensslAead(name, algorithm, key);
}

/** Keeps its key as bytes: most keys of a handshake protect one record, and a KeyObject costs as much as that. */
class OpensslAead implements Aead {
  readonly name: AeadName;
  readonly tagLength: number;
  /** Typed as a GCM cipher because all names share that interface; OpenSSL takes any AEAD. */
  readonly #algorithm: CipherGCMTypes;
  readonly #key: Uint8Array;

  constructor(name: AeadName, algorithm: string, key: Uint8Array) {
    this.name = name;
    this.tagLength = AEAD_SIZES[name].tag;
    this.#algorithm = algorithm as CipherGCMTypes;
    this.#key = copyOf(key);
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    at: number,
    tail?: Uint8Array,
  ): void {
    if (tail !== undefined && this.#algorithm.endsWith('ccm')) {
      // All at once, or not at all.
      this.seal(nonce, additionalData, withTail(plaintext, tail), out, at);
      return;
    }
    const length = plaintext.length + tailLength(tail);
    this.#checkLengths(nonce, length);
    if (at < 0 || out.length - at < length + this.tagLength)
      throw new CryptoError('bad-length', 'no room for ciphertext and tag');
    const cipher = createCipheriv(this.#algorithm, this.#key, nonce, OPTIONS[this.name]);
    cipher.setAAD(additionalData, { plaintextLength: length });
    // Where it is in place, the tail's place may lie behind the plaintext or in it.
    const end = tail && copyOf(tail);
    out.set(cipher.update(plaintext), at);
    if (end !== undefined) out.set(cipher.update(end), at + plaintext.length);
    cipher.final();
    out.set(cipher.getAuthTag(), at + length);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const length = sealed.length - this.tagLength;
    this.#checkLengths(nonce, length);
    if (length < 0) return undefined;
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce, OPTIONS[this.name]);
    decipher.setAuthTag(sealed.subarray(length));
    decipher.setAAD(additionalData, { plaintextLength: length });
    try {
      // CCM compares the tag in update(), the others in final(); both throw.
      const plaintext = decipher.update(sealed.subarray(0, length));
      decipher.final();
      return plain(plaintext);
    } catch {
      return undefined;
    }
  }

  #checkLengths(nonce: Uint8Array, length: number): void {
    if (nonce.length !== AEAD_NONCE_LENGTH)
      throw new CryptoError('bad-length', `${this.name} takes a nonce of ${AEAD_NONCE_LENGTH} bytes`);
    // RFC 3610 §2.1: a 12-byte nonce leaves CCM three bytes for the length.
    if (length > 0xff_ffff && this.#algorithm.endsWith('ccm'))
      throw new CryptoError('bad-length', `${this.name} takes less than 16 MiB at once`);
  }
}

/** As OpenSSL wants them: one object for all keys. */
const OPTIONS = Object.fromEntries(
  Object.entries(AEAD_SIZES).map(([name, { tag }]) => [name, { authTagLength: tag }]),
) as Readonly<Record<AeadName, { readonly authTagLength: number }>>;

const ALGORITHMS: Readonly<Record<AeadName, string>> = {
  'aes-128-gcm': 'aes-128-gcm',
  'aes-256-gcm': 'aes-256-gcm',
  'chacha20-poly1305': 'chacha20-poly1305',
  'aes-128-ccm': 'aes-128-ccm',
  'aes-256-ccm': 'aes-256-ccm',
  'aes-128-ccm-8': 'aes-128-ccm',
  'aes-256-ccm-8': 'aes-256-ccm',
  'aria-128-gcm': 'aria-128-gcm',
  'aria-256-gcm': 'aria-256-gcm',
  'camellia-128-gcm': 'camellia-128-gcm',
  'camellia-256-gcm': 'camellia-256-gcm',
};
