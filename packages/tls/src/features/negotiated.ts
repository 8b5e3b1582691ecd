import type { DelegationInfo } from '../certificates/delegated-credential.ts';
import type { EchOutcome } from '../ech/outcome.ts';
import type { ExchangedSettings } from './application-settings.ts';
import type { ReceivedExtension } from './custom-extensions.ts';
import type { TrustAnchorAnswer } from './trust-anchors.ts';

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
