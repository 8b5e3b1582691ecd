import type { Credential } from '../certificates/credential.ts';
import type { CertificateVerifier } from '../certificates/verdict.ts';
import type { EchOptions } from '../ech/chosen-config.ts';
import type { ExternalPsk, PskRequest } from '../psk/external-psk.ts';
import type { CredentialRequest } from '../requests.ts';
import type { ClientAfterHandshakeOptions } from './after-handshake.ts';
import type { CommonOptions } from './common.ts';
import type { ClientFeatureOptions } from './features.ts';

export interface ClientOptions extends CommonOptions, ClientAfterHandshakeOptions, ClientFeatureOptions {
  /** Decides on the server's certificate. */
  readonly verifyCertificate: CertificateVerifier;
  /** Application protocols by preference (ALPN). Default: none. */
  readonly alpnProtocols?: readonly string[] | undefined;
  /**
   * Groups for which ClientHello holds a share; with none the server has to ask for one, which costs a round trip.
   * Default: the first of `groups`, and x25519 if that is the hybrid.
   */
  readonly keyShareGroups?: readonly string[] | undefined;
  /** What to show a server that asks for a certificate; the first that fits is used. Default: none. */
  readonly credentials?:
    | readonly Credential[]
    | ((request: CredentialRequest) => readonly Credential[] | Promise<readonly Credential[]>)
    | undefined;
  /** Keys that this client shares with the server (PSK), by preference; chosen when the server's hint is known. Default: none. */
  readonly psks?:
    | readonly ExternalPsk[]
    | ((request: PskRequest) => readonly ExternalPsk[] | Promise<readonly ExternalPsk[]>)
    | undefined;
  /**
   * Say that this is another try with an older `maxVersion` than this client knows, after one that failed: a server that
   * knows a newer one then refuses, since somebody else may have made the first one fail (RFC 7507). Default false.
   */
  readonly fallback?: boolean | undefined;
  /**
   * Encrypted Client Hello (RFC 9849): hides the name and the rest of the hello from everyone but the server; TLS 1.3 only.
   * A server that cannot read it ends the connection with `ech-rejected`, never with a name in the clear. `grease` sends
   * something that only looks like it. Default: neither.
   */
  readonly ech?: EchOptions | 'grease' | undefined;
  /** Ask for a stapled OCSP response. Default true. */
  readonly requestOcsp?: boolean | undefined;
  /** Take a TLS 1.2 server without extended master secret (RFC 7627). Default true: some are left. */
  readonly allowNoExtendedMasterSecret?: boolean | undefined;
}
