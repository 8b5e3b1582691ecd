import { concat, utf8 } from '@testudo/codec';

/**
 * What a signature of TLS 1.3 is made over (RFC 9846 §4.5.2): 64 spaces, what the signature is for, a zero byte, the
 * content. The spaces keep it apart from what is signed up to TLS 1.2, which begins with random bytes that the peer chose.
 */
export function signedContent(context: string, ...content: readonly Uint8Array[]): Uint8Array {
  return concat(SPACES, utf8(context), SEPARATOR, ...content);
}

const SPACES = new Uint8Array(64).fill(0x20);
const SEPARATOR = Uint8Array.of(0);
