import type { CryptoProvider } from '@testudo/crypto';
import type { AlertName } from '../alerts.ts';
import type { TlsError } from '../errors.ts';
import type { RecordCompression } from '../record/compression.ts';
import type { VersionName } from '../versions.ts';
import type { AfterHandshakeOptions } from './after-handshake.ts';
import type { Legacy } from './legacy.ts';

/** What client and server have in common. Names are those of IANA or OpenSSL. */
export interface CommonOptions extends AfterHandshakeOptions {
  readonly provider: CryptoProvider;
  /** Makes dangerous old versions and suites available to those who name them. Default: none. */
  readonly legacy?: Legacy | undefined;
  /** Default `TLSv1.2`. Older ones need `legacy`. */
  readonly minVersion?: VersionName | undefined;
  /** Default `TLSv1.3`. */
  readonly maxVersion?: VersionName | undefined;
  /**
   * Take suites in which nobody shows who he is (DH_anon, ECDH_anon), so that anyone may sit between the two sides. They
   * must be named in `cipherSuites`, and need `legacy`. Default false.
   */
  readonly dangerouslyAllowAnonymous?: boolean | undefined;
  /** By preference. Default: see `config/defaults.ts`. */
  readonly cipherSuites?: readonly string[] | undefined;
  /**
   * By preference. Default: X25519MLKEM768, x25519, secp256r1, secp384r1, secp521r1; x25519 first where the provider
   * has no native ML-KEM.
   */
  readonly groups?: readonly string[] | undefined;
  /** By preference. Default: ECDSA, EdDSA, RSA-PSS, and RSA PKCS#1 v1.5 for TLS 1.2. */
  readonly signatureSchemes?: readonly string[] | undefined;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Zeros to add to a record of this many bytes (TLS 1.3 only, RFC 9846 §5.4); they are cut to what fits. Default: none. */
  readonly padding?: ((length: number) => number) | undefined;
  /** Most plaintext bytes in a record that is sent, 64 to 16,384. Default 16,384. */
  readonly maxFragmentLength?: number | undefined;
  /**
   * TLS 1.0 and SSL 3.0 with CBC: do not send the first byte of application data in a record of its own. That opens the
   * door to BEAST, and is for those who show it. Default false.
   */
  readonly dangerouslyNoRecordSplitting?: boolean | undefined;
  /**
   * Compress records with peers that know how (RFC 3749), which lets who sees their lengths guess what is in them (CRIME):
   * `deflate` of `@testudo/tls/legacy/compression`. Only with a `maxVersion` up to TLS 1.2; such sessions are not resumed.
   * Default: never.
   */
  readonly dangerousCompression?: RecordCompression | undefined;
  /** Use encrypt_then_mac (RFC 7366) with peers that know it. Default true. */
  readonly encryptThenMac?: boolean | undefined;
  /** Longest Certificate message that is taken, in bytes. Default 102,400. */
  readonly maxCertificateMessage?: number | undefined;
  /**
   * Memory for records that are sent, of this many bytes; it need not be zeroed, all of it is written. Default
   * `new Uint8Array`.
   */
  readonly allocate?: ((length: number) => Uint8Array) | undefined;
  /** Records after which a key is replaced by a KeyUpdate, if the AEAD's own limit is not lower. Default: that limit. */
  readonly keyUpdateAfter?: number | undefined;
  /**
   * The alert for a failure: for those who must answer as another implementation does. Undefined for the usual one. Default: always
   * the usual one.
   */
  readonly alertFor?: AlertChooser | undefined;
}

export type AlertChooser = (error: TlsError) => AlertName | undefined;
