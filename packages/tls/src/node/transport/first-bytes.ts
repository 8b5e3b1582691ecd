import type { TlsErrorCode } from '../../errors.ts';
import { ALERT } from '../../record/content-type.ts';
import { CHECKS_LENGTH_FIRST } from '../as-node/running-node.ts';

/** What OpenSSL says of a peer whose first bytes ended the connection, where it is not what the engine's own code stands for. */
export function firstReason(code: TlsErrorCode, chunk: Uint8Array, isServer: boolean): string | undefined {
  if (code === 'not-tls') {
    if (isHttp(chunk)) return 'http request';
    return !isServer && CHECKS_LENGTH_FIRST && lengthOf(chunk) > MAX_RECORD
      ? 'packet length too long'
      : undefined;
  }
  // A server expects a hello, and nothing else.
  return isServer && code === 'alert-received' && chunk[0] === ALERT ? 'unexpected message' : undefined;
}

/** A browser that was given http:// for an https:// port: worth an error of its own, as OpenSSL has it. */
function isHttp(chunk: Uint8Array): boolean {
  const start = String.fromCharCode(...chunk.subarray(0, 5));
  return /^(GET |POST |HEAD |PUT |CONNE|OPTIO|DELET|PATCH)/.test(start);
}

/** As if it were a record's header. */
function lengthOf(chunk: Uint8Array): number {
  return chunk.length < 5 ? 0 : (chunk[3]! << 8) | chunk[4]!;
}

/** What OpenSSL has room for before anything is agreed on. */
const MAX_RECORD = 16_704;
