import { list, opaque, struct, uint16 } from '@testudo/codec';
import type { Extension } from './extension.ts';

export interface KeyShareEntry {
  readonly group: number;
  readonly keyExchange: Uint8Array;
}

const entry = struct({ group: uint16, keyExchange: opaque(2, 1) });

/** key_share (RFC 9846 §4.3.8): the client's shares, the server's one, or the group a retry asks for. */
export const keyShare: Extension<{
  client_hello: KeyShareEntry[];
  server_hello: KeyShareEntry;
  hello_retry_request: number;
}> = {
  id: 51,
  name: 'key_share',
  source: 'RFC 9846 §4.3.8',
  codecs: { client_hello: list(2, entry), server_hello: entry, hello_retry_request: uint16 },
};
