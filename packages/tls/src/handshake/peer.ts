import type { Certificate } from '@testudo/x509';
import type { Credential } from '../certificates/credential.ts';
import type { DelegatedCredential, OcspResponses } from '../certificates/types.ts';
import type { Session } from '../sessions/session.ts';
import type { SignatureScheme } from '../signature-schemes.ts';

/** What is known of a peer that proved that it owns a certificate. */
export interface AuthenticatedPeer {
  /** DER, leaf first. */
  readonly certificates: readonly Uint8Array[];
  /** SHA-256 of its leaf, on a server whose sessions keep that in the chain's place. */
  readonly certificateHash: Uint8Array | undefined;
  /** The key alone, SubjectPublicKeyInfo, DER, where that is all it showed (RFC 7250). */
  readonly rawPublicKey: Uint8Array | undefined;
  readonly scheme: SignatureScheme | undefined;
  readonly ocspResponse: Uint8Array | undefined;
  /** By the certificates' places in the chain. */
  readonly ocspResponses: OcspResponses;
  readonly signedCertificateTimestamps: Uint8Array | undefined;
  readonly error: Error | undefined;
  readonly path: readonly Certificate[] | undefined;
}

/** A peer without a certificate. */
export const UNAUTHENTICATED: AuthenticatedPeer = {
  certificates: [],
  certificateHash: undefined,
  rawPublicKey: undefined,
  scheme: undefined,
  ocspResponse: undefined,
  ocspResponses: [],
  signedCertificateTimestamps: undefined,
  error: undefined,
  path: undefined,
};

/** A resumed peer is the one that was authenticated when the session began, or not. */
export function resumedPeer({
  peerCertificates,
  peerCertificateHash: certificateHash,
  peerRawPublicKey,
  peerVerified,
}: Session): AuthenticatedPeer {
  const error = peerVerified
    ? undefined
    : new Error('the certificate was not verified when the session began');
  const shown = { certificates: peerCertificates, certificateHash, rawPublicKey: peerRawPublicKey };
  return { ...UNAUTHENTICATED, ...shown, error };
}

/** Whether it showed anything. */
export function isIdentified(peer: Pick<AuthenticatedPeer, 'certificates' | 'rawPublicKey'>): boolean {
  return peer.certificates.length > 0 || peer.rawPublicKey !== undefined;
}

/** What one side showed of itself. */
export interface ShownCredential {
  readonly credential: Credential;
  /** Undefined where its key decrypts and does not sign: RSA key transport. */
  readonly scheme: SignatureScheme | undefined;
}

/** What one side signs with. */
export interface ChosenCredential extends ShownCredential {
  readonly scheme: SignatureScheme;
  /** Whose key signs in place of the credential's; TLS 1.3 only. */
  readonly delegated?: DelegatedCredential | undefined;
}
