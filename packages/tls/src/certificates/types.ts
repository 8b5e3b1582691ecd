import type { PublicKey, SignatureAlgorithm } from '@testudo/crypto';
import type { SignedDelegation } from '../extensions/delegated-credential.ts';
import type { SignatureScheme } from '../signature-schemes.ts';
import type { CertificateVerdict } from './verdict.ts';

/** What stands in a Certificate message: a chain, or a public key alone (RFC 7250). */
export type CertificateType = 'x509' | 'raw-public-key';

/** What each side shows; not negotiated, that is X.509. */
export interface CertificateTypes {
  readonly client: CertificateType;
  readonly server: CertificateType;
}

/** A client's options, checked. */
export interface ClientCertificateTypes {
  /** What it takes from servers, by preference. */
  readonly takes: readonly CertificateType[];
  /** What it can show. */
  readonly shows: readonly CertificateType[];
}

/** What a server takes from clients. */
export interface TakenCertificateTypes {
  readonly takes: readonly CertificateType[];
  /** By its own preference, and nothing else: it was told so. */
  readonly takesInOrder: boolean;
}

export type CertificateCompressionName = 'zlib' | 'brotli' | 'zstd';

/** One way to compress Certificate messages (RFC 8879); `@testudo/tls/node` and `@testudo/tls/web` have some. */
export interface CertificateCompression {
  readonly name: CertificateCompressionName | (string & {});
  /** CertificateCompressionAlgorithm, 16,384 to 65,535: only for a name that has no number (RFC 8879 §7.3). */
  readonly id?: number | undefined;
  /** May answer later. */
  compress(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Inflates what a peer sent, which should give `length` bytes, at most the option `maxCertificateMessage`. It must stop
   * beyond: the bytes may have been made to fill memory. Whatever it throws, the certificate is refused. May answer later.
   */
  decompress(data: Uint8Array, length: number): Uint8Array | Promise<Uint8Array>;
}

/** What a verifier of raw public keys gets to see (RFC 7250). The peer has proved that it owns the key. */
export interface RawPublicKeyToVerify {
  readonly key: PublicKey;
  /** `server` when a client verifies, `client` when a server does. */
  readonly peer: 'server' | 'client';
  /** The name or IP address the client wanted; undefined on a server. A key says nothing about names. */
  readonly name: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Decides whether a key is the one that is expected: there is nothing else that vouches for it. May answer later. */
export type RawPublicKeyVerifier = (
  request: RawPublicKeyToVerify,
) => CertificateVerdict | Promise<CertificateVerdict>;

/**
 * A short-lived key that stands in for a certificate's key in TLS 1.3 (RFC 9345), so that this one need not be where
 * connections end. Made by {@link issueDelegatedCredential}; belongs into a credential with that certificate.
 */
export interface DelegatedCredential {
  /** For which side of the handshake it was signed. */
  readonly role: 'client' | 'server';
  readonly signed: SignedDelegation;
  /** What its key signs with. */
  readonly scheme: SignatureScheme;
  /** What the certificate's key signed it with: it is shown only to those who can verify that. */
  readonly signedWith: SignatureScheme;
  /** Milliseconds since 1970. From then on the certificate's own key is used. */
  readonly expiresAt: number;
  /** Signs with the short-lived key. May answer later. */
  sign(algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** One for each certificate of a chain (RFC 9846 §4.5.1.1, RFC 6961 §2.2); undefined where there is none. */
export type OcspResponses = readonly (Uint8Array | undefined)[];
