import type { CryptoProvider } from '@testudo/crypto';
import type { AlertName } from '../alerts.ts';
import type { CertificateTypes } from '../certificates/types.ts';
import type { ClientTerms, CommonConfig, ServerTerms } from '../config/config.ts';
import type { EchHooks } from '../ech/client-hooks.ts';
import type { ReceivedEch } from '../ech/received-ech.ts';
import type { HeartbeatTerms } from '../heartbeat/terms.ts';
import type { RawMessage } from '../messages/handshake-type.ts';
import type { Observer } from '../observer.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import type { RecordLimits } from '../record/record-limit.ts';
import type { Session } from '../sessions/session.ts';
import type { Version } from '../versions.ts';
import type { FinishedVerified } from './finished-verified.ts';
import type { NegotiatedFeatures } from './negotiated.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Established, FalseStartInfo } from './result.ts';
import type { Transcript } from './transcript.ts';

/** What a handshake can do to its connection, besides waiting: all of it plain calls. */
export interface Channel {
  /** Queues a whole handshake message; messages in a row share records. */
  writeHandshake(raw: Uint8Array): void;
  writeChangeCipherSpec(): void;
  /** Server: the hello that came in SSL 2.0's form, as the transcript wants it; undefined when none did. */
  readonly ssl2Hello: Uint8Array | undefined;
  /**
   * Server: the name that the client's hello asks for, set by whatever reads a hello, at once; undefined where it names none. A second
   * hello cannot change it.
   */
  requestedName: string | undefined;
  /** Removes protection with this from the next record on. Throws when a part of a message waits. */
  setOpener(opener: RecordOpener, epoch: string): void;
  /** As {@link setOpener}, for application data: only for those who verified the peer's Finished. */
  setApplicationOpener(opener: RecordOpener, proof: FinishedVerified, epoch: string): void;
  /** Server: up to `limit` bytes of early data come before the handshake is complete. Ends with the next opener. */
  setEarlyOpener(opener: RecordOpener, limit: number, exporter: Exporter): void;
  /** Client: the application may send up to `limit` bytes now. Ends with {@link closeEarlyData}. */
  openEarlyData(sealer: RecordSealer, limit: number, exporter: Exporter): void;
  closeEarlyData(): void;
  /** Client up to TLS 1.2, after its own Finished: the application may send now (RFC 7918). Nothing is received before. */
  startFalsely(info: FalseStartInfo, exporter: Established['exportKeyingMaterial']): void;
  setSealer(sealer: RecordSealer, epoch: string): void;
  /** Server: this is going to be the version. */
  chooseVersion(version: Version): void;
  /** A client that offers TLS 1.3 drops compatibility CCS from its ClientHello on (RFC 9846 §5). */
  beginCompatibility(): void;
  /** A version before TLS 1.3 was agreed on: from now on it stands in records. */
  useVersion(version: Version, ways?: 'both' | 'sent'): void;
  /** Sends a warning. */
  warn(name: AlertName): void;
  /** TLS 1.3 was agreed on: its record limits hold, and the peer's compatibility CCS are dropped. */
  useTls13(): void;
  /** The peer's last flight is complete: from here a ChangeCipherSpec is an error. */
  endCompatibility(): void;
  /** What record_size_limit and max_fragment_length change. */
  readonly recordLimits: RecordLimits;
  /** Heartbeats were agreed on, or none. What was in flight is forgotten. */
  useHeartbeat(terms: HeartbeatTerms | undefined): void;
  /** The peer offered early data that was refused: so many bytes that do not decrypt are dropped. */
  skipUndecryptable(bytes: number): void;
}

/** Keying material for another protocol; `length` in bytes (RFC 9846 §7.5). */
export type Exporter = (label: string, context: Uint8Array, length: number) => Uint8Array;

/** One handshake under way: what its steps share. */
export interface Handshake {
  readonly provider: CryptoProvider;
  readonly config: CommonConfig;
  readonly channel: Channel;
  readonly transcript: Transcript;
  readonly observer: Observer | undefined;
  readonly now: number;
  /** A message that was looked at and not yet taken. */
  lookahead: RawMessage | undefined;
  /** HelloRequests that a client still passes over: up to TLS 1.2 only (RFC 5246 §7.4.1.1). */
  helloRequestsLeft: number;
  /** In a renegotiation: the handshake before this one. */
  readonly renegotiates?: PreviousHandshake;
  /** What stands in Certificate messages; undefined where that is X.509, both ways. */
  certificateTypes?: CertificateTypes;
  /** What optional extensions agreed on; undefined while there are none. */
  negotiated?: NegotiatedFeatures;
}

/** What a renegotiation must not lose of the handshake before it. */
export interface PreviousHandshake {
  /** verify_data of the Finished messages: binds the new handshake to the old one (RFC 5746 §3.1). */
  readonly clientVerifyData: Uint8Array;
  readonly serverVerifyData: Uint8Array;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  /** DER, leaf first; empty when the peer showed none. */
  readonly peerCertificates: readonly Uint8Array[];
  /** A server: the external key that the client has shown to have. */
  readonly peerPskIdentity: Uint8Array | undefined;
  /** The name the client asked for. */
  readonly serverName: string | undefined;
  /** What NextProtocol said; undefined where none came. */
  readonly npnProtocol: string | undefined;
  readonly allowsOtherPeer: boolean;
  readonly byPeer: boolean;
  /** How often the peer may begin, over the whole connection. */
  readonly limit: RateLimit;
}

/** A client's handshake. */
export interface ClientHandshake extends Handshake {
  readonly config: ClientTerms;
  /** The name or IP address whose certificate is wanted. */
  readonly host: string | undefined;
  /** The name for SNI: `host` unless that is an address or the user said otherwise. */
  readonly serverName: string | undefined;
  /** A session to resume. */
  readonly session: Session | undefined;
  readonly onSession: (session: Session) => void;
  /** The application wants to send early data. */
  readonly wantsEarlyData: boolean;
  /** What Encrypted Client Hello changes; undefined without it. */
  readonly echHooks?: EchHooks;
}

/** A server's handshake. */
export interface ServerHandshake extends Handshake {
  readonly config: ServerTerms;
  /** The first ClientHello, header included: what fingerprints are made of. Set as soon as it has come. */
  clientHello?: Uint8Array;
  /** Called with the session that is being resumed: if the handshake fails, it is lost. */
  readonly resuming?: (session: Session) => void;
  /** The application asked for the client's certificate: no session stands in for it. */
  readonly wantsCertificate?: boolean;
  /** The client has a key that is known, and cannot go on with it: it is required to show a certificate. */
  refusesPsk?: boolean;
  /** TLS 1.3 is not spoken with this client although both know it. */
  avoidsTls13?: boolean;
  /** What to tell of trust anchors; undefined for nothing. */
  availableTrustAnchors?: readonly Uint8Array[];
  /** Encrypted Client Hello; undefined where the client sent none. */
  receivedEch?: ReceivedEch;
}
