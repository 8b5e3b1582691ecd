import { type Codec, opaque } from '@testudo/codec';
import type { Extension } from './extension.ts';

const flags: Codec<Uint8Array> = opaque(1, 1);

/** tls_flags (draft-ietf-tls-tlsflags): bits, the lowest of the first byte is flag 0. */
export const tlsFlags: Extension<{
  client_hello: Uint8Array;
  certificate_request: Uint8Array;
  new_session_ticket: Uint8Array;
}> = {
  id: 62,
  name: 'tls_flags',
  source: 'draft-ietf-tls-tlsflags §2',
  isDraft: true,
  codecs: { client_hello: flags, certificate_request: flags, new_session_ticket: flags },
};
