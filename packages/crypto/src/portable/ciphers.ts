import { cbc, ctr, ecb } from '@noble/ciphers/aes.js';
import { chacha20 } from '@noble/ciphers/chacha.js';
import { copyOf } from '@testudo/codec';
import { CIPHER_SIZES, checkCipherLengths, checkWholeBlocks } from '../cipher-sizes.ts';
import { CryptoError } from '../errors.ts';
import type { Cipher, CipherName } from '../provider.ts';
import { rc4 } from '../rc4.ts';

/** Noble's ciphers take a message at once; here they are made to run on from one piece to the next. AES, ChaCha20, RC4. */
export function cipher(
  name: CipherName,
  direction: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
): Cipher | undefined {
  if (name === 'rc4') return rc4(key);
  if (!isHere(name)) return undefined;
  checkCipherLengths(name, key, iv);
  const crypt = blocks(name, direction, copyOf(key), copyOf(iv));
  return {
    update(data: Uint8Array): Uint8Array {
      checkWholeBlocks(name, data);
      return data.length === 0 ? new Uint8Array(0) : crypt(data);
    },
  };
}

type CipherHere = Extract<CipherName, `aes-${string}` | 'chacha20'>;

function isHere(name: CipherName): name is CipherHere {
  return name in CIPHER_SIZES && (name.startsWith('aes-') || name === 'chacha20');
}

type Step = (data: Uint8Array) => Uint8Array;

function blocks(name: CipherHere, direction: 'encrypt' | 'decrypt', key: Uint8Array, iv: Uint8Array): Step {
  switch (name) {
    case 'aes-128-ecb':
    case 'aes-256-ecb':
      return (data) => ecb(key, { disablePadding: true })[direction](data);
    case 'aes-128-cbc':
    case 'aes-192-cbc':
    case 'aes-256-cbc':
      return chained(direction, key, iv);
    case 'aes-128-ctr':
    case 'aes-256-ctr':
      return keyStream(16, (block, data) => ctr(key, addBigEndian(iv, block)).encrypt(data));
    case 'chacha20':
      return chachaStream(key, iv);
  }
}

/** CBC: the next piece's IV is the last block of ciphertext so far. */
function chained(direction: 'encrypt' | 'decrypt', key: Uint8Array, iv: Uint8Array): Step {
  let chain = iv;
  return (data) => {
    const out = cbc(key, chain, { disablePadding: true })[direction](data);
    chain = copyOf((direction === 'encrypt' ? out : data).subarray(-16));
    return out;
  };
}

/** A stream that can start at any of its blocks: the rest of a block begun is made again. */
function keyStream(size: number, crypt: (block: number, data: Uint8Array) => Uint8Array): Step {
  let offset = 0;
  return (data) => {
    const skip = offset % size;
    const shifted = new Uint8Array(skip + data.length);
    shifted.set(data, skip);
    const out = crypt((offset - skip) / size, shifted).slice(skip);
    offset += data.length;
    return out;
  };
}

/** The IV is a 32-bit counter, little-endian, and the 96-bit nonce (RFC 8439 §2.3), as OpenSSL has it. */
function chachaStream(key: Uint8Array, iv: Uint8Array): Step {
  const start = new DataView(iv.buffer, iv.byteOffset).getUint32(0, true);
  const nonce = iv.subarray(4);
  return keyStream(64, (block, data) => {
    // Noble never wraps the counter, and stops one block before its end.
    if (start + block + Math.ceil(data.length / 64) > 0xffff_ffff)
      throw new CryptoError('bad-length', 'the ChaCha20 counter is exhausted');
    return chacha20(key, nonce, data, undefined, start + block);
  });
}

function addBigEndian(counter: Uint8Array, blocks: number): Uint8Array {
  const sum = counter.slice();
  for (let i = sum.length - 1, carry = blocks; i >= 0 && carry > 0; i--) {
    carry += sum[i]!;
    sum[i] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return sum;
}
