import {
  type Codec,
  constant,
  decode,
  encode,
  fromLatin1,
  list,
  mapped,
  opaque,
  struct,
  toLatin1,
  uint8,
  uint16,
  uint32,
  uint64,
  utf8,
} from '@testudo/codec';
import type { CertificateType } from '../certificates/types.ts';
import type { ExchangedSettings } from '../handshake/negotiated.ts';

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
  /** Hides the ticket's age on the wire (RFC 9846 §4.3.11.1). */
  readonly ageAdd: number;
  /** Session ID of TLS 1.2; empty when there is none. */
  readonly id: Uint8Array;
  /** What to send to the server; empty on the server itself, and for a session that only has an ID. */
  readonly ticket: Uint8Array;
  /** The name in SNI; empty when there was none. */
  readonly serverName: string;
  /** The name or IP address that the verifier was asked about, see {@link wantedPeer}; empty on a server, and for none. */
  readonly host: string;
  /** The application protocol; empty when there was none. */
  readonly alpnProtocol: string;
  /** Bytes of early data the server would take; 0 for none. */
  readonly maxEarlyData: number;
  /** The peer's chain, DER, leaf first: the peer is not asked for it again. */
  readonly peerCertificates: readonly Uint8Array[];
  /** The verdict when the chain was verified: a session is never better than the handshake it came from. */
  readonly peerVerified: boolean;
  /** The peer's raw public key (SubjectPublicKeyInfo, DER), where it showed that and no chain. */
  readonly peerRawPublicKey?: Uint8Array | undefined;
  /** What a server showed, where the client had a say in it (RFC 7250). */
  readonly localCertificateType?: CertificateType | undefined;
  /** 1.3: the server says that it is good for the other names of its certificate, too. */
  readonly acrossNames?: boolean | undefined;
  /** SHA-256 of a client's certificate, where that is kept in the place of its chain. */
  readonly peerCertificateHash?: Uint8Array | undefined;
  /** 1.3: what both sides told each other for early data, too (ALPS). */
  readonly applicationSettings?: ExchangedSettings | undefined;
}

const text: Codec<string> = mapped(opaque(1), toLatin1, fromLatin1);
const flag: Codec<boolean> = mapped(
  uint8,
  (value, reader) => {
    if (value > 1) throw reader.error('bad-value', 'is not a flag');
    return value === 1;
  },
  (value) => (value ? 1 : 0),
);
const fromUtf8: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const millis: Codec<number> = mapped(uint64, Number, BigInt);

/** The format's own number: a session of another one is not understood, and so not resumed. */
const FORMAT = 4;
const OWN_TYPES: readonly (CertificateType | undefined)[] = [undefined, 'x509', 'raw-public-key'];
const format = constant(uint8, FORMAT);

const fields: Codec<Session> = struct({
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
  host: mapped(opaque(2), (bytes) => fromUtf8.decode(bytes), utf8),
  alpnProtocol: text,
  maxEarlyData: uint32,
  peerCertificates: list(3, opaque(3, 1)),
  peerVerified: flag,
  peerRawPublicKey: mapped(
    opaque(2),
    (key) => (key.length === 0 ? undefined : key),
    (key) => key ?? new Uint8Array(0),
  ),
  localCertificateType: mapped(
    uint8,
    (code, reader) => {
      if (code < OWN_TYPES.length) return OWN_TYPES[code];
      throw reader.error('bad-value', 'is not a certificate type');
    },
    (type) => OWN_TYPES.indexOf(type),
  ),
  applicationSettings: settings(),
  acrossNames: mapped(
    flag,
    (isSet) => isSet || undefined,
    (isSet) => isSet === true,
  ),
  peerCertificateHash: mapped(
    opaque(1, 0, 32),
    (hash) => (hash.length === 0 ? undefined : hash),
    (hash) => hash ?? new Uint8Array(0),
  ),
}) as Codec<Session>;

/** One byte where there are none: empty settings are some. */
function settings(): Codec<ExchangedSettings | undefined> {
  const both: Codec<ExchangedSettings> = struct({ sent: opaque(2), received: opaque(2) });
  return {
    read: (reader) => (flag.read(reader) ? both.read(reader) : undefined),
    write(writer, value) {
      flag.write(writer, value !== undefined);
      if (value !== undefined) both.write(writer, value);
    },
  };
}

/** @internal The format's number, then the session. */
export const sessionCodec: Codec<Session> = {
  read(reader) {
    format.read(reader);
    return fields.read(reader);
  },
  write(writer, session) {
    format.write(writer, FORMAT);
    fields.write(writer, session);
  },
};

/** A session as bytes: to keep it elsewhere. They hold its secret. */
export function encodeSession(session: Session): Uint8Array {
  return encode(sessionCodec, session).slice();
}

/** The other way; undefined when the bytes are no session of this format. */
export function decodeSession(bytes: Uint8Array): Session | undefined {
  try {
    return decode(sessionCodec, bytes);
  } catch {
    return undefined;
  }
}

/** Whether it may still be resumed. A clock that went back makes it older, never younger. */
export function isFresh(session: Session, now: number): boolean {
  const age = now - session.createdAt;
  return age >= -60_000 && age < session.lifetime * 1000;
}
