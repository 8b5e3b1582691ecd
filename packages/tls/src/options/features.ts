import type { CertificateCompression, CertificateType, RawPublicKeyVerifier } from '../certificates/types.ts';
import type { ApplicationSettingsCodePoint } from '../extensions/application-settings.ts';
import type { OidFilter } from '../extensions/oid-filters.ts';
import type { RetryCookieSealer } from '../features/retry-cookies.ts';
import type { HeartbeatMode } from '../heartbeat/terms.ts';
import type { Ssl2HelloReader } from '../record/ssl2-hello-reader.ts';
import type { CustomExtension } from './custom-extension.ts';
import type { NpnClient, NpnServer } from './legacy.ts';

/** Application-Layer Protocol Settings (ALPS, draft-vvv-tls-alps-01): TLS 1.3 only. */
export interface ApplicationSettingsOptions {
  /**
   * What to tell a peer of an application protocol, by the protocol's ALPN name; at most 16,384 bytes, empty where there is
   * nothing to tell. A client offers it for those of its `alpnProtocols` that are named here, and a server answers with
   * it; what the peer has to say is in `ConnectionInfo.applicationSettings`. What a server tells, it tells before it knows
   * who the client is. Default: none.
   */
  readonly applicationSettings?: Readonly<Record<string, Uint8Array>> | undefined;
  /**
   * The numbers to use for it: a client offers all, a server answers the first that the client offers. Default 17613, what
   * browsers use; 17513 is what they used before.
   */
  readonly applicationSettingsCodePoints?: readonly ApplicationSettingsCodePoint[] | undefined;
}

/** A client that goes on with a shared key only. */
export interface RequiredPskOptions {
  /**
   * Take no server that does not have one of `psks`, or a session that began with one: no certificate stands in for it, and
   * no version before TLS 1.3 is offered. Without a key to offer nothing is sent: `no-psk`. Default false: a server that
   * knows none of them may show a certificate.
   */
  readonly requirePsk?: boolean | undefined;
}

/** Where a client can send GREASE (RFC 8701 §3.1). */
export type GreasePlace =
  | 'cipherSuites'
  | 'groups'
  | 'keyShares'
  | 'versions'
  | 'signatureSchemes'
  | 'alpnProtocols'
  | 'pskModes'
  | 'extensions';

/** Extensions that client and server can have alike. */
export interface CommonFeatureOptions extends ApplicationSettingsOptions {
  /** Extensions that the engine does not know. Default: none. */
  readonly customExtensions?: readonly CustomExtension[] | undefined;
  /**
   * Most bytes of plaintext in a protected record that we take, 64 to 16,385 (RFC 8449); in TLS 1.3 they count content,
   * type and padding. A client offers it, which limits both sides: default not. A server answers who offers it: default
   * the most that the version knows.
   */
  readonly recordSizeLimit?: number | undefined;
  /**
   * Heartbeats (RFC 6520) with peers that know them: `answer` those of the peer, or `only-ask`, see
   * {@link Connection.heartbeat}. Default: none.
   */
  readonly heartbeat?: HeartbeatMode | undefined;
  /**
   * Refuse a peer with which no application protocol is agreed on (ALPN), so that what is meant for one protocol cannot be
   * brought to a server of another one (ALPACA). Default false.
   */
  readonly requireAlpn?: boolean | undefined;
  /** What may sign certificates, if that differs from `signatureSchemes` (signature_algorithms_cert). Default: not said. */
  readonly certificateSignatureSchemes?: readonly string[] | undefined;
  /**
   * Take raw public keys of peers (RFC 7250), and decide on them: {@link pinnedKeys}. Credentials that are raw public keys
   * are shown where the peer takes them: {@link rawPublicKeyCredential}. Default: none is taken.
   */
  readonly verifyRawPublicKey?: RawPublicKeyVerifier | undefined;
  /**
   * TLS 1.3: take delegated credentials of peers (RFC 9345): true for those that sign with one of `signatureSchemes`, or
   * the schemes they may sign with. Default false.
   */
  readonly acceptDelegatedCredentials?: boolean | readonly string[] | undefined;
  /** TLS 1.3: how certificates may be compressed (RFC 8879), both ways, by preference. Default: not. */
  readonly certificateCompression?: readonly CertificateCompression[] | undefined;
}

/** How a client's hello looks, and what it asks for beside the key exchange. */
export interface ClientFeatureOptions extends CommonFeatureOptions, RequiredPskOptions {
  /**
   * Send values that mean nothing, so that servers stay able to pass over what they do not know (RFC 8701): everywhere,
   * or in the places named. They are chosen at random for each connection. Default false.
   */
  readonly grease?: boolean | readonly GreasePlace[] | undefined;
  /**
   * The order of extensions in ClientHello: `shuffle` for a new one in each connection, as Chromium has it; or numbers,
   * in whose order those extensions come first. pre_shared_key is always last. Default: the engine's own order.
   */
  readonly extensionOrder?: 'shuffle' | readonly number[] | undefined;
  /** Offer max_fragment_length (RFC 6066 §4): records of at most so many bytes, both ways. Default: not. */
  readonly requestMaxFragmentLength?: 512 | 1024 | 2048 | 4096 | undefined;
  /**
   * Up to TLS 1.2, ask for OCSP responses for the whole chain (status_request_v2, RFC 6961); in 1.3 `requestOcsp` does.
   * Default false.
   */
  readonly requestOcspChain?: boolean | undefined;
  /** Ask for signed certificate timestamps (RFC 6962 §3.3). Default false. */
  readonly requestTimestamps?: boolean | undefined;
  /** Distinguished names (DER) of the CAs this client trusts: a server may choose its chain by them. Default: not said. */
  readonly certificateAuthorities?: readonly Uint8Array[] | undefined;
  /**
   * TLS 1.3: identifiers of the trust anchors this client trusts, or some of them, so that a server can choose its chain by
   * them (draft-ietf-tls-trust-anchor-ids); relative object identifiers, DER without tag and length. What the server says
   * is in `ConnectionInfo.trustAnchors`; an empty list only asks for that. Default: not said.
   */
  readonly trustAnchors?: readonly Uint8Array[] | undefined;
  /**
   * What is taken from servers, by preference. Default: raw public keys first where there is `verifyRawPublicKey`, and
   * X.509.
   */
  readonly serverCertificateTypes?: readonly CertificateType[] | undefined;
  /** What this client can show, by preference. Default: as `credentials` are; X.509 where those come from a function. */
  readonly clientCertificateTypes?: readonly CertificateType[] | undefined;
  /** Up to TLS 1.2: take tickets, and resume sessions by them (RFC 5077). Default true; else by their ID only. */
  readonly sessionTickets?: boolean | undefined;
  /**
   * TLS 1.2: in a full handshake, let application data go a round trip earlier, before the server's Finished has come
   * (False Start, RFC 7918): the event `falseStart` tells when. Only with an AEAD, ECDHE and a certificate that is good, and
   * where a protocol was agreed on (ALPN, or NPN): servers that know neither may fail when data comes early. `any-server`
   * does without that last one, for servers of which it is known that they do not. Default false.
   */
  readonly falseStart?: boolean | 'any-server' | undefined;
  /** Up to TLS 1.2, offer Next Protocol Negotiation beside ALPN: `npnClient` of `@testudo/tls/legacy`. Default: not. */
  readonly npn?: NpnClient | undefined;
  /** Pad ClientHello to a multiple of so many bytes, 2 to 4096 (RFC 7685). Default: none. */
  readonly helloPadding?: number | undefined;
}

export interface ServerFeatureOptions extends CommonFeatureOptions {
  /**
   * The names (SNI) that are served here; `*.example.com` stands for one label in front. A client that wants another one, or none, is
   * refused, and resumes nothing. Default: any, for which `credentials` has a certificate.
   */
  readonly serverNames?: readonly string[] | undefined;
  /**
   * TLS 1.3: tickets are good for all names of the certificate that was shown, and clients are told so
   * (draft-ietf-tls-cross-sni-resumption). Only where whoever opens these tickets may speak for all these names. Default
   * false.
   */
  readonly resumptionAcrossNames?: boolean | undefined;
  /**
   * Sessions keep the SHA-256 of a client's certificate in the place of its chain, which makes tickets short. After a
   * resumption `peerCertificateHash` says who that is, and `peerCertificates` is empty. Sessions of the other kind are not
   * resumed. Not with `renegotiation`, which compares certificates. Default false.
   */
  readonly sessionsKeepCertificateHash?: boolean | undefined;
  /**
   * Speak TLS 1.2 with clients that are Java 11 by their looks: its first releases have errors in TLS 1.3. A mark in the
   * server's random tells newer clients that this is so, who refuse it. Default false.
   */
  readonly java11Workaround?: boolean | undefined;
  /** Tell clients that the name they want (SNI) was of use (RFC 6066 §3). Default true. */
  readonly acknowledgeServerName?: boolean | undefined;
  /**
   * Ask every TLS 1.3 client to come again with a cookie (RFC 9846 §4.3.2): {@link RetryCookies}. It costs a round trip,
   * and shows that the client gets what is sent to it. Default: none.
   */
  readonly retryCookies?: RetryCookieSealer | undefined;
  /**
   * What is taken from clients, by preference; a client that is asked for a certificate and has none of these is refused
   * (RFC 7250 §4.2). Default: all that there is a verifier for, and the client's preference counts.
   */
  readonly clientCertificateTypes?: readonly CertificateType[] | undefined;
  /**
   * Take a ClientHello in SSL 2.0's form (RFC 5246 §E.2), for TLS 1.2 and older: `ssl2Hello` of `@testudo/tls/legacy`. It has
   * no extensions, and so none of what they protect against (RFC 9846 §E.5). Default: none.
   */
  readonly ssl2Hello?: Ssl2HelloReader | undefined;
  /**
   * Up to TLS 1.2, answer clients that offer Next Protocol Negotiation where ALPN decides nothing: `npnServer` of
   * `@testudo/tls/legacy`. Default: not.
   */
  readonly npn?: NpnServer | undefined;
  /** What a client's certificate must hold (TLS 1.3, RFC 9846 §4.3.5). Default: nothing. */
  readonly oidFilters?: readonly OidFilter[] | undefined;
  /** TLS 1.3: ask clients for OCSP responses to their certificates (RFC 9846 §4.5.1.1). Default false. */
  readonly requestOcsp?: boolean | undefined;
  /** TLS 1.3: ask clients for signed certificate timestamps (RFC 6962 §3.3). Default false. */
  readonly requestTimestamps?: boolean | undefined;
  /** Send GREASE in CertificateRequest and NewSessionTicket of TLS 1.3 (RFC 8701 §4.1). Default false. */
  readonly grease?: boolean | undefined;
}
