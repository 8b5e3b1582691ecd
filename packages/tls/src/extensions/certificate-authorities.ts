import { list, opaque, rest } from '@testudo/codec';
import { MAX_AUTHORITIES } from '../config/defaults.ts';
import type { Extension } from './extension.ts';

/** certificate_authorities (RFC 9846 §4.3.4): distinguished names, DER. */
export const certificateAuthorities: Extension<{
  client_hello: Uint8Array[];
  certificate_request: Uint8Array[];
}> = {
  id: 47,
  name: 'certificate_authorities',
  source: 'RFC 9846 §4.3.4',
  codecs: { client_hello: list(2, opaque(2, 1), 3), certificate_request: list(2, opaque(2, 1), 3) },
};

/** What is to be named: all of them, or none where they do not fit into the list (2^16-1 bytes). */
export function namedAuthorities(names: readonly Uint8Array[] = []): Uint8Array[] {
  const length = names.reduce((sum, name) => sum + 2 + name.length, 0);
  return length > MAX_AUTHORITIES ? [] : [...names];
}

/** trusted_ca_keys (RFC 6066 §6): known by name only; a server that has no use for it passes over it. */
export const trustedCaKeys: Extension<{ client_hello: Uint8Array; server_hello_12: Uint8Array }> = {
  id: 3,
  name: 'trusted_ca_keys',
  source: 'RFC 6066 §6',
  codecs: { client_hello: rest, server_hello_12: rest },
};
