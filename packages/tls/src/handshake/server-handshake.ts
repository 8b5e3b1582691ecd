import type { ServerEch } from '../ech/server.ts';
import type { ServerConfig } from '../options.ts';
import type { Session } from '../sessions/session.ts';
import type { Handshake } from './handshake.ts';

/** A server's handshake. */
export interface ServerHandshake extends Handshake {
  readonly config: ServerConfig;
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
  ech?: ServerEch;
}
