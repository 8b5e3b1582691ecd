import { DecodeError } from './errors.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const PAD = 61; // '='

/** Base64 with padding (RFC 4648 §4), on one line. */
export function toBase64(bytes: Uint8Array): string {
  const text = encodeDigits(bytes, ALPHABET);
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return encodeDigits(bytes, URL_ALPHABET);
}

/**
 * Bytes of canonical base64: padded, no white space, unused bits zero (RFC 4648 §3.5), so that each byte
 * string has one text only. Throws {@link DecodeError}; its offset counts characters.
 */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0)
    throw new DecodeError(
      'bad-length',
      `${text.length} characters of base64, not a multiple of 4`,
      text.length,
    );
  let digits = text.length;
  if (digits > 0 && text.charCodeAt(digits - 1) === PAD) digits--;
  if (digits < text.length && text.charCodeAt(digits - 1) === PAD) digits--;
  return decodeDigits(text, digits, VALUES);
}

/** Bytes of canonical base64url without padding. Throws {@link DecodeError}; its offset counts characters. */
export function fromBase64Url(text: string): Uint8Array {
  return decodeDigits(text, text.length, URL_VALUES);
}

const VALUES = valuesOf(ALPHABET);
const URL_VALUES = valuesOf(URL_ALPHABET);

/** Digit values by character code; 255 for what is not in the alphabet. */
function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(255);
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

function encodeDigits(bytes: Uint8Array, alphabet: string): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]!;
    if (left > 1) text += alphabet[(group >> 6) & 63]!;
    if (left > 2) text += alphabet[group & 63]!;
  }
  return text;
}

function decodeDigits(text: string, digits: number, values: Uint8Array): Uint8Array {
  if (digits % 4 === 1) throw new DecodeError('bad-length', 'base64 ends inside a byte', digits);
  const bytes = new Uint8Array(Math.floor((digits * 3) / 4));
  let out = 0;
  let bits = 0;
  let buffer = 0;
  for (let i = 0; i < digits; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? values[code]! : 255;
    if (value === 255) throw new DecodeError('bad-value', 'a character outside the base64 alphabet', i);
    buffer = ((buffer << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[out++] = buffer >> bits;
    }
  }
  if (buffer & ((1 << bits) - 1))
    throw new DecodeError('bad-value', 'unused bits at the end of base64 are not zero', digits - 1);
  return bytes;
}
