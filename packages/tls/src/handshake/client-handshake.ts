import type { ClientEch } from '../ech/client-ech.ts';
import type { ClientConfig } from '../options.ts';
import type { Session } from '../sessions/session.ts';
import type { Handshake } from './handshake.ts';

/** A client's handshake. */
export interface ClientHandshake extends Handshake {
  readonly config: ClientConfig;
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
  readonly ech?: ClientEch;
}
