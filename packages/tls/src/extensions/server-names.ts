import { ascii, type Codec, list, opaque, rest, struct, uint8, utf8 } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import { acknowledgement, type Extension } from './extension.ts';

const HOST_NAME = 0;

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
