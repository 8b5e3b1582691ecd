import { TlsError } from '../errors.ts';
import { isGrease } from '../grease.ts';
import { alpn } from './alpn.ts';
import type { ExtensionBlock } from './block.ts';

/** Two equal bytes that mean nothing (RFC 8701 §2): sent, and never to be selected. */
function isGreaseProtocol(protocol: string): boolean {
  return protocol.length === 2 && isGrease((protocol.charCodeAt(0) << 8) | protocol.charCodeAt(1));
}

/** The application protocol that a server selected: one of those offered (RFC 7301 §3.2). Throws `illegal-parameter`. */
export function selectedProtocol(
  offered: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'server_hello_12'> | ExtensionBlock<'encrypted_extensions'>,
): string | undefined {
  const protocol = (answer as ExtensionBlock<'encrypted_extensions'>).get(alpn);
  if (protocol === undefined) return undefined;
  if (offered.get(alpn)!.includes(protocol) && !isGreaseProtocol(protocol)) return protocol;
  throw new TlsError('illegal-parameter', 'the server selects an application protocol that was not offered');
}
