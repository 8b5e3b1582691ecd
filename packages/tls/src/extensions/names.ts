import {
  ascii,
  type Codec,
  fromLatin1,
  list,
  mapped,
  opaque,
  type Reader,
  toLatin1,
  utf8,
  type Writer,
} from '@testudo/codec';
import type { Extension } from './extension.ts';

const HOST_NAME = 0;

/** ProtocolNameList (RFC 7301 §3.1). */
export const protocolNames: Codec<string[]> = list(2, protocolName(), 2);

/** server_name (RFC 6066 §3): the DNS name the client wants, without a trailing dot. The answer is empty. */
export const serverName: Extension<{
  client_hello: string;
  server_hello_12: null;
  encrypted_extensions: null;
}> = {
  id: 0,
  name: 'server_name',
  source: 'RFC 6066 §3',
  codecs: {
    client_hello: hostName(),
    server_hello_12: acknowledgement(),
    encrypted_extensions: acknowledgement(),
  },
};

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

/** An empty body that means "your extension was used". */
export function acknowledgement(): Codec<null> {
  return { read: () => null, write: () => {} };
}

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

/** ServerNameList: one host_name; names of other types were never defined, so their format is unknown. */
function hostName(): Codec<string> {
  return {
    read: (reader) => reader.scope(reader.uint16(), readHostName),
    write(writer: Writer, name) {
      writer.scope(2, () => {
        writer.uint8(HOST_NAME);
        writer.scope(2, () => writer.bytes(utf8(name)));
      });
    },
  };
}

function readHostName(reader: Reader): string {
  const start = reader.offset;
  const type = reader.uint8();
  if (type !== HOST_NAME) throw reader.error('bad-value', `name type ${type} is not host_name`, start);
  const bytes = reader.take(reader.uint16());
  // A name of printable ASCII only: it goes to logs, and to look-ups by name.
  const name = ascii(bytes);
  if (name.length === 0 || name.length > 255 || !/^[\x21-\x7e]+$/.test(name)) {
    throw reader.error('bad-value', 'is not a host name', start);
  }
  return name;
}
