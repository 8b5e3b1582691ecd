import { list, uint8 } from '@testudo/codec';
import type { Extension } from './extension.ts';

type CertificateTypeExtension = Extension<{
  client_hello: number[];
  server_hello_12: number;
  encrypted_extensions: number;
}>;

/** client_certificate_type (RFC 7250 §3): what the client can show; the server's choice. */
export const clientCertificateType: CertificateTypeExtension = certificateType(19, 'client_certificate_type');

/** server_certificate_type (RFC 7250 §3): what the client can verify; what the server shows. */
export const serverCertificateType: CertificateTypeExtension = certificateType(20, 'server_certificate_type');

function certificateType(id: number, name: string): CertificateTypeExtension {
  const codecs = { client_hello: list(1, uint8, 1), server_hello_12: uint8, encrypted_extensions: uint8 };
  return { id, name, source: 'RFC 7250 §3', codecs };
}
