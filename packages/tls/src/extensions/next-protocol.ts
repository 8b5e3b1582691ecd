import { type Codec, fromLatin1, mapped, opaque, toLatin1 } from '@testudo/codec';
import { acknowledgement, type Extension } from './extension.ts';

/**
 * next_protocol_negotiation (draft-agl-tls-nextprotoneg-04 §3), ALPN's predecessor up to TLS 1.2: an empty offer, then the
 * server's protocols, of which there may be none. The number was never assigned.
 */
export const nextProtocolNegotiation: Extension<{ client_hello: null; server_hello_12: string[] }> = {
  id: 13172,
  name: 'next_protocol_negotiation',
  source: 'draft-agl-tls-nextprotoneg-04 §3',
  isDraft: true,
  codecs: { client_hello: acknowledgement(), server_hello_12: protocols() },
};

/** Names one after the other, with no length before them all. */
function protocols(): Codec<string[]> {
  const name = mapped(opaque(1, 1), toLatin1, fromLatin1);
  return {
    read(reader) {
      const names: string[] = [];
      while (reader.remaining > 0) names.push(name.read(reader));
      return names;
    },
    write(writer, names) {
      for (const each of names) name.write(writer, each);
    },
  };
}
