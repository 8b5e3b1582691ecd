import { cbc, ctr } from '@noble/ciphers/aes.js';
import { equal } from './random.ts';

/**
 * AES-CCM (RFC 3610, SP 800-38C) for nonces of 12 bytes: noble has the cipher and both of CCM's parts, CBC for the
 * MAC and CTR, but not the mode. What is written here is the framing of RFC 3610 §2.2 and §2.3 only.
 */
export function sealCcm(
  key: Uint8Array,
  tagLength: number,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const tag = authenticate(key, tagLength, nonce, additionalData, plaintext);
  return crypt(key, nonce, tag, plaintext);
}

/** Undefined when the tag is wrong. */
export function openCcm(
  key: Uint8Array,
  tagLength: number,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const length = sealed.length - tagLength;
  const opened = crypt(key, nonce, sealed.subarray(length), sealed.subarray(0, length));
  const plaintext = opened.slice(0, length);
  const tag = authenticate(key, tagLength, nonce, additionalData, plaintext);
  if (equal(tag, opened.subarray(length))) return plaintext;
  plaintext.fill(0);
  return undefined;
}

/** RFC 3610 §2.3: block 0 of the key stream covers the tag, the following ones the text. Gives text, then tag. */
function crypt(key: Uint8Array, nonce: Uint8Array, tag: Uint8Array, text: Uint8Array): Uint8Array {
  const stream = new Uint8Array(BLOCK + text.length);
  stream.set(tag);
  stream.set(text, BLOCK);
  const counter = new Uint8Array(BLOCK);
  counter[0] = LENGTH_WIDTH - 1;
  counter.set(nonce, 1);
  const covered = ctr(key, counter).encrypt(stream);
  const out = new Uint8Array(text.length + tag.length);
  out.set(covered.subarray(BLOCK));
  out.set(covered.subarray(0, tag.length), text.length);
  return out;
}

/** RFC 3610 §2.2: CBC-MAC over B_0, the length and bytes of the additional data, and the text, each padded with zeros. */
function authenticate(
  key: Uint8Array,
  tagLength: number,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  text: Uint8Array,
): Uint8Array {
  const prefix = lengthPrefix(additionalData.length);
  const textStart = BLOCK + padded(prefix.length + additionalData.length);
  const blocks = new Uint8Array(textStart + padded(text.length));
  blocks[0] = (additionalData.length > 0 ? 0x40 : 0) | (((tagLength - 2) / 2) << 3) | (LENGTH_WIDTH - 1);
  blocks.set(nonce, 1);
  blocks[13] = text.length >> 16;
  blocks[14] = text.length >> 8;
  blocks[15] = text.length;
  blocks.set(prefix, BLOCK);
  blocks.set(additionalData, BLOCK + prefix.length);
  blocks.set(text, textStart);
  const chain = cbc(key, new Uint8Array(BLOCK), { disablePadding: true }).encrypt(blocks);
  return chain.slice(chain.length - BLOCK, chain.length - BLOCK + tagLength);
}

function lengthPrefix(length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0);
  if (length < 0xff00) return Uint8Array.of(length >> 8, length);
  return Uint8Array.of(0xff, 0xfe, length >>> 24, length >> 16, length >> 8, length);
}

function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}

const BLOCK = 16;
/** Bytes of the length field, L in RFC 3610: what a 12-byte nonce leaves of 15. */
const LENGTH_WIDTH = 3;
