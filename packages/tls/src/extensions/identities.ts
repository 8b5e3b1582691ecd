import { type Codec, list, opaque, struct, uint8, uint16, uint32 } from '@testudo/codec';
import type { Extension } from './extension.ts';

/** compress_certificate (RFC 8879 §3): how the sender can decompress the peer's Certificate, by preference. */
export const compressCertificate: Extension<{ client_hello: number[]; certificate_request: number[] }> = {
  id: 27,
  name: 'compress_certificate',
  source: 'RFC 8879 §3',
  codecs: { client_hello: list(1, uint16, 2, 254), certificate_request: list(1, uint16, 2, 254) },
};

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

/** Credential (RFC 9345 §4): what the owner of a certificate signs. */
export interface Delegation {
  /** Seconds from the certificate's notBefore on. */
  readonly validTime: number;
  /** SignatureScheme of the CertificateVerify that it is for. */
  readonly dcCertVerifyAlgorithm: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

/** DelegatedCredential (RFC 9345 §4). */
export interface SignedDelegation {
  readonly delegation: Delegation;
  /** SignatureScheme of `signature`, which is by the certificate's key. */
  readonly algorithm: number;
  readonly signature: Uint8Array;
}

export const delegationCodec: Codec<Delegation> = struct({
  validTime: uint32,
  dcCertVerifyAlgorithm: uint16,
  publicKey: opaque(3, 1),
});

/** delegated_credential (RFC 9345 §4.1): schemes that the sender takes; the credential, in the first certificate. */
export const delegatedCredential: Extension<{
  client_hello: number[];
  certificate_request: number[];
  certificate: SignedDelegation;
}> = {
  id: 34,
  name: 'delegated_credential',
  source: 'RFC 9345 §4.1',
  codecs: {
    client_hello: list(2, uint16, 2),
    certificate_request: list(2, uint16, 2),
    certificate: struct({ delegation: delegationCodec, algorithm: uint16, signature: opaque(2, 1) }),
  },
};
