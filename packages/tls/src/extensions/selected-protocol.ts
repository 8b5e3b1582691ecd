import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from './block.ts';
import { alpn } from './names.ts';

/** The application protocol that a server selected: one of those offered (RFC 7301 §3.2). Throws `illegal-parameter`. */
export function selectedProtocol(
  offered: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'server_hello_12'> | ExtensionBlock<'encrypted_extensions'>,
): string | undefined {
  const protocol = (answer as ExtensionBlock<'encrypted_extensions'>).get(alpn);
  if (protocol === undefined || offered.get(alpn)!.includes(protocol)) return protocol;
  throw new TlsError('illegal-parameter', 'the server selects an application protocol that was not offered');
}
