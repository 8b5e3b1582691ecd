import { uint8, uint16 } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** record_size_limit (RFC 8449 §4): the longest plaintext that the sender takes in a record, in bytes. */
export const recordSizeLimit: Extension<{
  client_hello: number;
  server_hello_12: number;
  encrypted_extensions: number;
}> = {
  id: 28,
  name: 'record_size_limit',
  source: 'RFC 8449 §4',
  codecs: { client_hello: uint16, server_hello_12: uint16, encrypted_extensions: uint16 },
};

/** max_fragment_length (RFC 6066 §4). */
export const maxFragmentLength: Extension<{
  client_hello: number;
  server_hello_12: number;
  encrypted_extensions: number;
}> = {
  id: 1,
  name: 'max_fragment_length',
  source: 'RFC 6066 §4',
  codecs: { client_hello: uint8, server_hello_12: uint8, encrypted_extensions: uint8 },
};
