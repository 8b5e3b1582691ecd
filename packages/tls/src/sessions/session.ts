import {
  type Codec,
  decode,
  encode,
  list,
  mapped,
  opaque,
  struct,
  uint8,
  uint16,
  uint32,
  uint64,
} from '@testudo/codec';

/**
 * What two connections can share: agreed once, used again without a certificate. A client keeps it with the
 * ticket; a server keeps it in its store, or sealed inside the ticket.
 */
export interface Session {
  readonly version: number;
  readonly cipherSuite: number;
  /** 1.3: the resumption PSK. 1.2: the master secret. */
  readonly secret: Uint8Array;
  /** 1.2: whether the extended master secret was used (RFC 7627 §5.3). */
  readonly extendedMasterSecret: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Seconds for which it can be resumed. */
  readonly lifetime: number;
  /** Hides the ticket's age on the wire (RFC 9846 §4.2.11.1). */
  readonly ageAdd: number;
  /** Session ID of TLS 1.2; empty when there is none. */
  readonly id: Uint8Array;
  /** What to send to the server; empty on the server itself, and for a session that only has an ID. */
  readonly ticket: Uint8Array;
  /** The name in SNI; empty when there was none. */
  readonly serverName: string;
  /** The application protocol; empty when there was none. */
  readonly alpnProtocol: string;
  /** Bytes of early data the server would take; 0 for none. */
  readonly maxEarlyData: number;
  /** The peer's chain, DER, leaf first: the peer is not asked for it again. */
  readonly peerCertificates: readonly Uint8Array[];
  /** The verdict when the chain was verified: a session is never better than the handshake it came from. */
  readonly peerVerified: boolean;
}

const text: Codec<string> = mapped(
  opaque(1),
  (bytes) => String.fromCharCode(...bytes),
  (value) => Uint8Array.from(value, (char) => char.charCodeAt(0)),
);
const flag: Codec<boolean> = mapped(
  uint8,
  (value, reader) => {
    if (value > 1) throw reader.error('bad-value', 'is not a flag');
    return value === 1;
  },
  (value) => (value ? 1 : 0),
);
const millis: Codec<number> = mapped(uint64, Number, BigInt);

/** The format's own number: a session of another one is not understood, and so not resumed. */
const FORMAT = 1;

const codec: Codec<Session & { format: number }> = struct({
  format: uint8,
  version: uint16,
  cipherSuite: uint16,
  secret: opaque(1, 16, 64),
  extendedMasterSecret: flag,
  createdAt: millis,
  lifetime: uint32,
  ageAdd: uint32,
  id: opaque(1, 0, 32),
  ticket: opaque(2),
  serverName: text,
  alpnProtocol: text,
  maxEarlyData: uint32,
  peerCertificates: list(3, opaque(3, 1)),
  peerVerified: flag,
}) as Codec<Session & { format: number }>;

/** A session as bytes: to keep it elsewhere. They hold its secret. */
export function encodeSession(session: Session): Uint8Array {
  return encode(codec, { format: FORMAT, ...session });
}

/** The other way; undefined when the bytes are no session of this format. */
export function decodeSession(bytes: Uint8Array): Session | undefined {
  try {
    const { format, ...session } = decode(codec, bytes);
    return format === FORMAT ? session : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it may still be resumed. A clock that went back makes it older, never younger. */
export function isFresh(session: Session, now: number): boolean {
  const age = now - session.createdAt;
  return age >= -60_000 && age < session.lifetime * 1000;
}
