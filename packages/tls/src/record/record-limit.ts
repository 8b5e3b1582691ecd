import { TlsError } from '../errors.ts';
import type { Plaintext } from './protection.ts';

/** How large records may be, by record_size_limit (RFC 8449) or max_fragment_length (RFC 6066 §4). */
export interface RecordLimit {
  /** Most bytes of plaintext; in TLS 1.3 content and padding together, the type not counted. */
  readonly length: number;
  /** Records without protection are limited, too: max_fragment_length says so, record_size_limit does not. */
  readonly unprotected: boolean;
}

/**
 * From when on a limit holds, or, where it is undefined, none: a limit is of the handshake that made the keys (RFC 8449 §4),
 * and goes with those of early data as little as with those of the handshake before.
 */
export type LimitStart = 'now' | 'next keys';

/** Sets them. */
export interface RecordLimits {
  /** The peer takes no larger records than these. */
  limitSent(limit: RecordLimit | undefined, from: LimitStart): void;
  /** The peer may send no larger records than these. */
  limitReceived(limit: RecordLimit | undefined, from: LimitStart): void;
}

/** Throws `record-overflow` (RFC 8449 §4, RFC 6066 §4). */
export function checkLimit(plaintext: Plaintext, limit: RecordLimit, isProtected: boolean): void {
  if (!isProtected && !limit.unprotected) return;
  const length = plaintext.paddedLength ?? plaintext.content.length;
  if (length <= limit.length) return;
  throw new TlsError(
    'record-overflow',
    `a record with ${length} bytes of plaintext, more than the ${limit.length} agreed on`,
  );
}
