import { type Codec, mapped } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** padding (RFC 7685 §3): zeros. */
export const padding: Extension<{ client_hello: number }> = {
  id: 21,
  name: 'padding',
  source: 'RFC 7685 §3',
  codecs: { client_hello: zeros() },
};

function zeros(): Codec<number> {
  return mapped(
    { read: (reader) => reader.takeRest(), write: (writer, bytes) => writer.bytes(bytes) },
    (bytes, reader) => {
      if (bytes.some((byte) => byte !== 0)) throw reader.error('bad-value', 'padding is not zero');
      return bytes.length;
    },
    (length) => new Uint8Array(length),
  );
}
