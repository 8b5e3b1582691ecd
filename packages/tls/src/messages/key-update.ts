import { type Codec, struct, uint8 } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

export const UPDATE_NOT_REQUESTED = 0;
export const UPDATE_REQUESTED = 1;

/** RFC 9846 §4.7.3. */
export interface KeyUpdate {
  readonly requestUpdate: number;
}

const codec: Codec<KeyUpdate> = struct({ requestUpdate: uint8 });

export const keyUpdate: Message<KeyUpdate> = message('key_update', codec);
