import { type Codec, rest, struct } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.4.4, RFC 5246 §7.4.9: as long as the hash (1.3), or 12 bytes (1.2). */
export interface Finished {
  readonly verifyData: Uint8Array;
}

const codec: Codec<Finished> = struct({ verifyData: rest });

export const finished: Message<Finished> = message('finished', codec);
