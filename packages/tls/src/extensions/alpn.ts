import { type Codec, fromLatin1, list, mapped, opaque, toLatin1 } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** ProtocolNameList (RFC 7301 §3.1). */
export const protocolNames: Codec<string[]> = list(2, protocolName(), 2);

/** application_layer_protocol_negotiation (RFC 7301): offers, then the one that was chosen. */
export const alpn: Extension<{
  client_hello: string[];
  server_hello_12: string;
  encrypted_extensions: string;
}> = {
  id: 16,
  name: 'application_layer_protocol_negotiation',
  source: 'RFC 7301 §3.1',
  codecs: {
    client_hello: protocolNames,
    server_hello_12: single(protocolNames),
    encrypted_extensions: single(protocolNames),
  },
};

/** A protocol name is bytes; Latin-1 keeps every one of them, whatever it is. */
function protocolName(): Codec<string> {
  return mapped(opaque(1, 1), toLatin1, fromLatin1);
}

function single<T>(items: Codec<T[]>): Codec<T> {
  return {
    read(reader) {
      const start = reader.offset;
      const values = items.read(reader);
      if (values.length !== 1) throw reader.error('bad-value', `holds ${values.length} items, not 1`, start);
      return values[0]!;
    },
    write: (writer, value) => items.write(writer, [value]),
  };
}
