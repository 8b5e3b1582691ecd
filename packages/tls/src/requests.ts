import type { SignatureAlgorithm } from '@testudo/crypto';
import type { Credential } from './certificates/credential.ts';
import type { CertificateCompression, CertificateType, RawPublicKeyToVerify } from './certificates/types.ts';
import type { CertificateToVerify, CertificateVerdict } from './certificates/verdict.ts';
import type { EchOutcome } from './ech/outcome.ts';
import type { OidFilter } from './extensions/oid-filters.ts';
import type { RawMessage } from './messages/handshake-type.ts';

import type { ExternalPsk, PskLookup, PskRequest } from './psk/external-psk.ts';
import type { Session } from './sessions/session.ts';

/** Everything a handshake may wait for: what it asks, and what the answer is. */
export interface Requests {
  /** The peer's next handshake message. */
  message: { ask: undefined; answer: RawMessage };
  /** The peer's ChangeCipherSpec (TLS 1.2). */
  changeCipherSpec: { ask: undefined; answer: undefined };
  /** A signature by the owner of a credential's key. */
  sign: {
    ask: { credential: Pick<Credential, 'sign'>; algorithm: SignatureAlgorithm; data: Uint8Array };
    answer: Uint8Array;
  };
  /** RSADP by the owner of a credential's key, without unpadding; undefined when it failed, whyever. */
  decryptRsa: {
    ask: { credential: Credential; ciphertext: Uint8Array };
    answer: Uint8Array | undefined;
  };
  /** Whether the peer's certificate is good. */
  verifyCertificate: { ask: CertificateToVerify; answer: CertificateVerdict };
  /** Whether the peer's raw public key is good. */
  verifyRawPublicKey: { ask: RawPublicKeyToVerify; answer: CertificateVerdict };
  /** Our Certificate message, compressed. */
  compressCertificate: {
    ask: { algorithm: CertificateCompression; data: Uint8Array };
    answer: Uint8Array;
  };
  /** The peer's Certificate message, inflated; undefined when it cannot be. */
  decompressCertificate: {
    ask: { algorithm: CertificateCompression; data: Uint8Array; length: number };
    answer: Uint8Array | undefined;
  };
  /** The credentials that a server has for what the client wants, best first; undefined when it has none for anybody. */
  chooseCredentials: { ask: ClientHelloInfo; answer: readonly Credential[] | undefined };
  /** The application protocol, among what the client offers; undefined when none fits, null when none is wanted. */
  chooseProtocol: { ask: ClientHelloInfo; answer: string | null | undefined };
  /** The client's credential for a server that asks for one. */
  chooseClientCredential: { ask: CredentialRequest; answer: readonly Credential[] };
  /** The keys that a client can name; none for none. */
  choosePsks: { ask: PskRequest; answer: readonly ExternalPsk[] };
  /** The key that a client names; undefined when this server does not know it. */
  findPsk: { ask: PskLookup; answer: ExternalPsk | undefined };
  /** Whether early data is taken: by the application, and because it comes for the first time. */
  admitEarlyData: { ask: EarlyDataRequest; answer: boolean };
  /** The session in a ticket that this server once sealed. */
  openTicket: { ask: Uint8Array; answer: Session | undefined };
  /** A ticket that holds a session. */
  sealTicket: { ask: Session; answer: Uint8Array };
  /** A session by its ID (TLS 1.2). */
  findSession: { ask: Uint8Array; answer: Session | undefined };
  /** Keeps a session under its ID (TLS 1.2). */
  storeSession: { ask: { id: Uint8Array; session: Session }; answer: undefined };
}

/** What a server said about the client certificate it wants. */
export interface CredentialRequest {
  /** SignatureScheme numbers that the server can verify. */
  readonly signatureSchemes: readonly number[];
  /** Distinguished names (DER) of CAs it trusts; empty when it did not say. */
  readonly certificateAuthorities: readonly Uint8Array[];
  /** Up to TLS 1.2: ClientCertificateType numbers, the kinds of keys it takes (RFC 5246 §7.4.4). */
  readonly keyTypes?: readonly number[] | undefined;
  /** What it wants to see; credentials of another type are left out whatever is answered. Default X.509. */
  readonly certificateType?: CertificateType | undefined;
  /** What its certificate must hold (RFC 9846 §4.3.5); credentials without it are left out whatever is answered. */
  readonly oidFilters?: readonly OidFilter[] | undefined;
}

/** A first flight with early data, whose key and age are as they should be. */
export interface EarlyDataRequest {
  readonly info: ClientHelloInfo;
  /** The same for every copy of this flight, and for no other one. */
  readonly id: Uint8Array;
  /** Milliseconds since 1970; later copies are refused by their age. */
  readonly expiresAt: number;
}

/** What a server knows of a client when it chooses a certificate and a protocol. */
export interface ClientHelloInfo {
  /** The name in SNI, lower case; undefined when there was none. */
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
  /** Numbers, in the client's order. */
  readonly cipherSuites: readonly number[];
  readonly signatureSchemes: readonly number[];
  /** What it can verify in certificates (signature_algorithms_cert); as `signatureSchemes` when it does not say. */
  readonly certificateSignatureSchemes: readonly number[];
  readonly supportedVersions: readonly number[];
  /**
   * What became of Encrypted Client Hello. `accepted`: all this is from the inner hello, but for `message` and the
   * fingerprints, which are those of the outer one.
   */
  readonly ech: EchOutcome;
  /** Distinguished names (DER) of the CAs it trusts; empty when it does not say. */
  readonly certificateAuthorities: readonly Uint8Array[];
  /** The first ClientHello as it came, handshake header included. */
  readonly message: Uint8Array;
  /** JA3 fingerprint, worked out when it is asked for. */
  readonly ja3: string;
  /** JA4 fingerprint, worked out when it is asked for. */
  readonly ja4: string;
}

/** Answers requests, at once or later. `message` and `changeCipherSpec` are answered by the connection itself. */
export type Services = {
  [Op in Exclude<keyof Requests, 'message' | 'changeCipherSpec'>]: (
    ask: Requests[Op]['ask'],
  ) => Requests[Op]['answer'] | Promise<Requests[Op]['answer']>;
};
