import { type Codec, list, opaque, struct, uint16, uint32 } from '@testudo/codec';
import type { Extension } from './extension.ts';

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
