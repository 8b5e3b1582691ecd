import { uint8 } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** HeartbeatMode (RFC 6520 §2): whether the one who says it answers requests. */
export const PEER_ALLOWED_TO_SEND = 1;
export const PEER_NOT_ALLOWED_TO_SEND = 2;

/** heartbeat (RFC 6520 §2; for its places in TLS 1.3 see RFC 9846 §4.3). */
export const heartbeat: Extension<{
  client_hello: number;
  server_hello_12: number;
  encrypted_extensions: number;
}> = {
  id: 15,
  name: 'heartbeat',
  source: 'RFC 6520 §2',
  codecs: { client_hello: uint8, server_hello_12: uint8, encrypted_extensions: uint8 },
};
