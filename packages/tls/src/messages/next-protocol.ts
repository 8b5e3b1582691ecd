import { type Codec, fromLatin1, opaque, toLatin1 } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

/** The message is as long as a multiple of this, so that its length does not tell the protocol. */
const BLOCK = 32;

const bytes = opaque(1);

/** draft-agl-tls-nextprotoneg-04 §3: the client's protocol, or an empty one for none, and zeros up to a whole block. */
const codec: Codec<string> = {
  read(reader) {
    const selected = bytes.read(reader);
    const start = reader.offset;
    const padding = bytes.read(reader);
    // Nobody pads in another way, and what nobody looks at could carry anything.
    if (padding.length !== paddingFor(selected))
      throw reader.error('bad-length', 'is not a whole block', start);
    if (padding.some((byte) => byte !== 0)) throw reader.error('bad-value', 'padding is not zero', start);
    return toLatin1(selected);
  },
  write(writer, protocol) {
    const selected = fromLatin1(protocol);
    bytes.write(writer, selected);
    bytes.write(writer, new Uint8Array(paddingFor(selected)));
  },
};

export const nextProtocol: Message<string> = message('next_protocol', codec);

function paddingFor(selected: Uint8Array): number {
  return BLOCK - ((selected.length + 2) % BLOCK);
}
