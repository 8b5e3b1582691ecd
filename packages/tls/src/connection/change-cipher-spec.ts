import { TlsError } from '../errors.ts';

/** The message of the ChangeCipherSpec protocol: one byte (RFC 5246 §7.1). In TLS 1.3 any other is out of place (RFC 9846 §5). */
export function checkChangeCipherSpec(content: Uint8Array, isTls13: boolean): void {
  if (content.length === 1 && content[0] === 1) return;
  const code = isTls13 ? 'unexpected-message' : 'malformed-record';
  throw new TlsError(code, 'a ChangeCipherSpec that is not the byte 1');
}
