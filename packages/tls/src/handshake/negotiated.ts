import type { EchOutcome } from '../ech/outcome.ts';
import type { CustomExtensionPlace } from '../options/custom-extension.ts';
import type { SignatureScheme } from '../signature-schemes.ts';

/** What optional extensions agreed on in one handshake. */
export interface NegotiatedFeatures {
  /** The application's own extensions that the peer sent. */
  readonly customExtensions: ReceivedExtension[];
  /** Most bytes of plaintext in a record, each way; undefined where no extension says so. */
  recordLimits: { readonly sent: number; readonly received: number } | undefined;
  /** What became of Encrypted Client Hello. */
  ech: EchOutcome;
  /** What our Certificate, and the peer's, was compressed with. */
  compression:
    | {
        sent: string | undefined;
        received: string | undefined;
      }
    | undefined;
  /** What NextProtocol said; empty for none, undefined where it was not agreed on. */
  npnProtocol: string | undefined;
  /** What the peer showed beside its certificate, and what we did. */
  delegationReceived: DelegationInfo | undefined;
  delegationSent: DelegationInfo | undefined;
  /** Application settings (ALPS). */
  applicationSettings: ExchangedSettings | undefined;
  /** A client: what the server said of trust anchors. */
  trustAnchors: TrustAnchorAnswer | undefined;
}

/** The record of a handshake; a handshake without such extensions has none. */
export function negotiatedOf(h: { negotiated?: NegotiatedFeatures }): NegotiatedFeatures {
  h.negotiated ??= {
    customExtensions: [],
    recordLimits: undefined,
    ech: 'none',
    compression: undefined,
    npnProtocol: undefined,
    delegationReceived: undefined,
    delegationSent: undefined,
    applicationSettings: undefined,
    trustAnchors: undefined,
  };
  return h.negotiated;
}

/** What a connection tells of a delegated credential. */
export interface DelegationInfo {
  readonly scheme: SignatureScheme;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What each side told the other. */
export interface ExchangedSettings {
  readonly sent: Uint8Array;
  readonly received: Uint8Array;
}

/** What a peer's extension held; in `ConnectionInfo`. */
export interface ReceivedExtension {
  readonly id: number;
  readonly place: CustomExtensionPlace;
  readonly data: Uint8Array;
}

// Trust anchor identifiers (draft-ietf-tls-trust-anchor-ids), TLS 1.3 only.

/** What a server said to a client that named trust anchors. */
export interface TrustAnchorAnswer {
  /** Those for which it has certificates; undefined where it did not say. */
  readonly available: readonly Uint8Array[] | undefined;
  /** It says that its certificate leads to one of those that were named. The verifier has the last word. */
  readonly matched: boolean;
}
