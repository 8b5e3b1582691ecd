import { rest } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** use_srtp (RFC 5764 §4.1.1): for DTLS. Never offered and never answered here. */
export const useSrtp: Extension<{
  client_hello: Uint8Array;
  server_hello_12: Uint8Array;
  encrypted_extensions: Uint8Array;
}> = {
  id: 14,
  name: 'use_srtp',
  source: 'RFC 5764 §4.1.1',
  codecs: { client_hello: rest, server_hello_12: rest, encrypted_extensions: rest },
};
