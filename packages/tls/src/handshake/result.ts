import type { Certificate } from '@testudo/x509';
import type { OcspResponses } from '../certificates/types.ts';
import type { EstablishedSecrets } from '../connection/secrets.ts';
import type { EchOutcome } from '../ech/outcome.ts';
import type { Flow } from '../flow.ts';
import type { Group } from '../groups/index.ts';
import type { RawMessage } from '../messages/handshake-type.ts';
import type { SignatureScheme } from '../signature-schemes.ts';
import type { CipherSuite } from '../suites/index.ts';
import type { VersionName } from '../versions.ts';
import type { FinishedVerified } from './finished-verified.ts';
import type {
  DelegationInfo,
  ExchangedSettings,
  ReceivedExtension,
  TrustAnchorAnswer,
} from './negotiated.ts';
import { type NegotiatedFeatures, negotiatedOf } from './negotiated.ts';
import type { AuthenticatedPeer, ShownCredential } from './peer.ts';

/** What both sides agreed on. */
export interface ConnectionInfo {
  /** Which side this is. */
  readonly role: 'client' | 'server';
  readonly version: VersionName;
  readonly cipherSuite: CipherSuite;
  /** Undefined in a resumed TLS 1.2 connection. */
  readonly group: Group | undefined;
  /** How the server signed the handshake; undefined when the connection was resumed. */
  readonly serverSignatureScheme: SignatureScheme | undefined;
  /** How the client signed; undefined when it showed no certificate. */
  readonly clientSignatureScheme: SignatureScheme | undefined;
  /** The name the client asked for in SNI. */
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /**
   * What the client selected by Next Protocol Negotiation, whether the server offered it or not; empty when it wants none.
   * Undefined without the option `npn`, and where the peer does not know it or ALPN decided.
   */
  readonly npnProtocol: string | undefined;
  readonly resumed: boolean;
  /** These were not the connection's first keys (TLS 1.2 and older). */
  readonly renegotiated: boolean;
  /** The identity of the external key that was used; undefined when none was. */
  readonly pskIdentity: Uint8Array | undefined;
  /** What became of early data; `rejected` means that the application must send it again. */
  readonly earlyData: 'none' | 'accepted' | 'rejected';
  readonly helloRetryRequest: boolean;
  /**
   * What became of Encrypted Client Hello (RFC 9849). A client never sees `rejected` here: that is an error, `ech-rejected`.
   */
  readonly ech: EchOutcome;
  /** The peer's chain, DER, leaf first; empty when it showed none. */
  readonly peerCertificates: readonly Uint8Array[];
  /** SHA-256 of the client's certificate, with `sessionsKeepCertificateHash`; undefined where it showed none. */
  readonly peerCertificateHash: Uint8Array | undefined;
  /** The peer's key, SubjectPublicKeyInfo, DER, where it showed that and no certificate (RFC 7250). */
  readonly peerRawPublicKey: Uint8Array | undefined;
  /** Why the peer's certificate is not good, where the user accepts it all the same. */
  readonly authorizationError: Error | undefined;
  /** From the peer's leaf to the trust anchor; undefined when no path was looked for in this connection. */
  readonly verifiedPath: readonly Certificate[] | undefined;
  /** Our own chain; empty when we showed none. */
  readonly localCertificates: readonly Uint8Array[];
  /** Our own key, where we showed that and no certificate. */
  readonly localRawPublicKey: Uint8Array | undefined;
  /** TLS 1.2 extended master secret (RFC 7627); always true in 1.3, where the key schedule does the same. */
  readonly extendedMasterSecret: boolean;
  /** The peer knows secure renegotiation (RFC 5746); always true in 1.3, which has none. */
  readonly secureRenegotiation: boolean;
  /** OCSP response that the server stapled, DER. */
  readonly ocspResponse: Uint8Array | undefined;
  /** The OCSP responses that the peer stapled, DER, by the certificates' places in its chain. */
  readonly ocspResponses: OcspResponses;
  /** SignedCertificateTimestampList (RFC 6962 §3.3) that the peer sent outside its certificate. */
  readonly signedCertificateTimestamps: Uint8Array | undefined;
  /**
   * Most bytes of plaintext in a record, each way, by record_size_limit or max_fragment_length; in TLS 1.3 with padding.
   * Undefined where neither was agreed on.
   */
  readonly recordLimits: { readonly sent: number; readonly received: number } | undefined;
  /** The delegated credential that the peer signed with (RFC 9345); undefined where it used its certificate's key. */
  readonly peerDelegation: DelegationInfo | undefined;
  /** The delegated credential that we signed with. */
  readonly localDelegation: DelegationInfo | undefined;
  /** What Certificate messages were compressed with (RFC 8879), each way; undefined where none was. */
  readonly certificateCompression:
    | {
        readonly sent: string | undefined;
        readonly received: string | undefined;
      }
    | undefined;
  /**
   * What both sides told each other about the application protocol (ALPS); undefined where that was not agreed on. See the
   * option `applicationSettings`.
   */
  readonly applicationSettings: ExchangedSettings | undefined;
  /** What the server said to a client that named trust anchors; undefined where it named none. */
  readonly trustAnchors: TrustAnchorAnswer | undefined;
  /** The application's own extensions that the peer sent; see the option `customExtensions`. */
  readonly customExtensions: readonly ReceivedExtension[];
  /** The random values in the hellos, 32 bytes each. */
  readonly randoms: { readonly client: Uint8Array; readonly server: Uint8Array };
  /** The last Finished of each side, verify_data only. */
  readonly finished: { readonly sent: Uint8Array; readonly received: Uint8Array };
}

/** What a client knows when it may send before the server's Finished has come (RFC 7918). */
export type FalseStartInfo = Omit<ConnectionInfo, 'finished'>;

/** As one side sees it: who is the peer, and what this side showed of itself. */
export function connectionInfo(
  role: 'client' | 'server',
  agreed: Pick<
    ConnectionInfo,
    | 'version'
    | 'cipherSuite'
    | 'group'
    | 'serverName'
    | 'alpnProtocol'
    | 'resumed'
    | 'renegotiated'
    | 'pskIdentity'
    | 'earlyData'
    | 'helloRetryRequest'
    | 'extendedMasterSecret'
    | 'secureRenegotiation'
    | 'randoms'
    | 'finished'
  >,
  peer: AuthenticatedPeer,
  own: ShownCredential | undefined,
  negotiated: NegotiatedFeatures = NOTHING_SPECIAL,
): ConnectionInfo {
  const [client, server] = role === 'client' ? [own, peer] : [peer, own];
  // Field by field: spreading costs V8 ten times as much.
  return {
    role,
    version: agreed.version,
    cipherSuite: agreed.cipherSuite,
    group: agreed.group,
    serverName: agreed.serverName,
    alpnProtocol: agreed.alpnProtocol,
    npnProtocol: negotiated.npnProtocol,
    resumed: agreed.resumed,
    renegotiated: agreed.renegotiated,
    pskIdentity: agreed.pskIdentity,
    earlyData: agreed.earlyData,
    helloRetryRequest: agreed.helloRetryRequest,
    extendedMasterSecret: agreed.extendedMasterSecret,
    secureRenegotiation: agreed.secureRenegotiation,
    randoms: agreed.randoms,
    finished: agreed.finished,
    serverSignatureScheme: server?.scheme,
    clientSignatureScheme: client?.scheme,
    peerCertificates: peer.certificates,
    peerCertificateHash: peer.certificateHash,
    peerRawPublicKey: peer.rawPublicKey,
    authorizationError: peer.error,
    verifiedPath: peer.path,
    localCertificates: own?.credential.certificates ?? [],
    localRawPublicKey: own?.credential.rawPublicKey,
    ocspResponse: peer.ocspResponse,
    ocspResponses: peer.ocspResponses,
    signedCertificateTimestamps: peer.signedCertificateTimestamps,
    customExtensions: negotiated.customExtensions,
    recordLimits: negotiated.recordLimits,
    ech: negotiated.ech,
    peerDelegation: negotiated.delegationReceived,
    localDelegation: negotiated.delegationSent,
    certificateCompression: negotiated.compression,
    applicationSettings: negotiated.applicationSettings,
    trustAnchors: negotiated.trustAnchors,
  };
}

const NOTHING_SPECIAL: NegotiatedFeatures = negotiatedOf({});

/** What goes on after the handshake: messages that come then, and keys. */
export interface Established {
  /**
   * A handshake message that came after the handshake. Throws when none may come. A flow, when it takes more than this
   * call to answer it.
   */
  receive(message: RawMessage): Flow<AfterHandshake> | undefined;
  /**
   * Negotiates anew, or asks the peer to; with `resume` a client does with its session. Throws `not-connected` where that
   * is not possible.
   */
  renegotiate(resume: boolean): Flow<AfterHandshake> | undefined;
  /** The peer does not want to renegotiate. */
  renegotiationDeclined(): void;
  /** Asks a client for its certificate; one that has to show one and does not is refused. Throws `not-connected` where that is not possible. */
  requestClientCertificate(required: boolean): undefined;
  /** Keying material (RFC 5705 §4, RFC 9846 §7.5). `length` in bytes. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array;
  /** New keys for what we send, and for what the peer sends when `requestPeer`. Throws where there is no KeyUpdate. */
  updateKeys(requestPeer: boolean): void;
  /** Copies of what protects the connection; undefined when it is over. */
  secrets(): EstablishedSecrets | undefined;
  /** Nothing more is sent: close_notify was. */
  endWriting(): void;
  /** Called before application data is sent: a KeyUpdate that the peer asked for goes first. */
  prepareToSend(): void;
  /** True when {@link renegotiate} is possible. */
  readonly canRenegotiate: boolean;
  /** True when keys can be replaced: TLS 1.3, up to the last generation of them. */
  readonly canUpdateKeys: boolean;
  /** Forgets all secrets. */
  wipe(): void;
}

/** What a flow after the handshake ends with: new keys, or only something that is known now, or nothing. */
export type AfterHandshake = HandshakeResult | { readonly info: ConnectionInfo | undefined };

/** The end of a handshake that succeeded. */
export interface HandshakeResult {
  readonly proof: FinishedVerified;
  readonly info: ConnectionInfo;
  readonly established: Established;
  /** A server's: called when the connection ends with a fatal alert: its session must not be resumed. */
  readonly abandonSession?: (() => void) | undefined;
}
