import { concat, utf8 } from '@testudo/codec';
import type { CryptoProvider, HashName } from '../provider.ts';

/** HKDF whose every input says what it is for and in which suite (RFC 9180 §4). */
export interface LabeledKdf {
  extract(salt: Uint8Array, label: string, inputKey: Uint8Array): Uint8Array;
  /** Throws {@link CryptoError} `bad-length` over 255 hash lengths. */
  expand(key: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array;
}

export function labeledKdf(provider: CryptoProvider, hash: HashName, suiteId: Uint8Array): LabeledKdf {
  const prefix = concat(utf8('HPKE-v1'), suiteId);
  return {
    extract: (salt, label, inputKey) =>
      provider.hkdfExtract(hash, salt, concat(prefix, utf8(label), inputKey)),
    expand: (key, label, info, length) =>
      provider.hkdfExpand(hash, key, concat(uint16(length), prefix, utf8(label), info), length),
  };
}

/** I2OSP(value, 2). */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

export const NOTHING: Uint8Array = new Uint8Array(0);
