import { list, uint16 } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** compress_certificate (RFC 8879 §3): how the sender can decompress the peer's Certificate, by preference. */
export const compressCertificate: Extension<{ client_hello: number[]; certificate_request: number[] }> = {
  id: 27,
  name: 'compress_certificate',
  source: 'RFC 8879 §3',
  codecs: { client_hello: list(1, uint16, 2, 254), certificate_request: list(1, uint16, 2, 254) },
};
