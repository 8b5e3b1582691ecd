import { type Codec, rest, struct } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.5.3, RFC 5246 §7.4.9: as long as the hash (1.3), or 12 bytes (1.2). */
export interface Finished {
  readonly verifyData: Uint8Array;
}

const codec: Codec<Finished> = struct({ verifyData: rest });

export const finished: Message<Finished> = message('finished', codec);

/**
 * verify_data of any other length is no Finished (RFC 9846 §6.2: decode_error), before it is a wrong one. The codec cannot
 * know: the length depends on version and suite. Throws `malformed-message`.
 */
export function checkFinishedLength({ length }: Uint8Array, expected: number): void {
  if (length === expected) return;
  throw new TlsError('malformed-message', `finished: malformed: ${length} bytes instead of ${expected}`);
}
