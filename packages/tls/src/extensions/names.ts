import {
  ascii,
  type Codec,
  fromLatin1,
  list,
  mapped,
  opaque,
  rest,
  struct,
  toLatin1,
  uint8,
  utf8,
} from '@testudo/codec';
import { TlsError } from '../errors.ts';
import type { Extension } from './extension.ts';

const HOST_NAME = 0;

/** ProtocolNameList (RFC 7301 §3.1). */
export const protocolNames: Codec<string[]> = list(2, protocolName(), 2);

/** A ServerName. All that is known of other types than host_name, which were never defined, is that a length comes first. */
export interface ServerName {
  readonly type: number;
  readonly name: Uint8Array;
}

/** server_name (RFC 6066 §3): the DNS name the client wants, without a trailing dot. The answer is empty. */
export const serverName: Extension<{
  client_hello: ServerName[];
  server_hello_12: null;
  encrypted_extensions: null;
  certificate_request: Uint8Array;
}> = {
  id: 0,
  name: 'server_name',
  source: 'RFC 6066 §3',
  codecs: {
    client_hello: serverNames(),
    server_hello_12: acknowledgement(),
    encrypted_extensions: acknowledgement(),
    // It may stand there (RFC 9846 §4.3); only who asks for authenticators says something by it (RFC 9261 §4).
    certificate_request: rest,
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

/** One name of each type at most; the host_name is printable ASCII: it goes to logs, and to look-ups by name. */
function serverNames(): Codec<ServerName[]> {
  const entries = list(2, struct({ type: uint8, name: opaque(2) }), 1);
  return {
    read(reader) {
      const start = reader.offset;
      const names = entries.read(reader);
      if (names.some(({ type, name }) => type === HOST_NAME && name.length === 0))
        throw reader.error('bad-length', 'holds an empty host name', start);
      if (new Set(names.map(({ type }) => type)).size < names.length)
        throw new TlsError('illegal-parameter', 'server_name holds two names of one type');
      const host = hostNameOf(names);
      if (host !== undefined && (host.length > 255 || !/^[\x21-\x7e]+$/.test(host)))
        throw new TlsError('illegal-parameter', 'server_name holds something that is not a host name');
      return names;
    },
    write: entries.write,
  };
}

/** The list for this one host. */
export function serverNamesFor(host: string): ServerName[] {
  return [{ type: HOST_NAME, name: utf8(host) }];
}

/** The host among the names: others are for servers that know them. */
export function hostNameOf(names: readonly ServerName[]): string | undefined {
  const host = names.find(({ type }) => type === HOST_NAME);
  return host === undefined ? undefined : ascii(host.name);
}
