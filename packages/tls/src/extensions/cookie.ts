import { opaque } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** cookie (RFC 9846 §4.3.2). */
export const cookie: Extension<{ client_hello: Uint8Array; hello_retry_request: Uint8Array }> = {
  id: 44,
  name: 'cookie',
  source: 'RFC 9846 §4.3.2',
  codecs: { client_hello: opaque(2, 1), hello_retry_request: opaque(2, 1) },
};
