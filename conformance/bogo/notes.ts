import type { Session } from '@testudo/tls';
import type { ConnectionFlags } from './flags.ts';

/** What a connection noted while it ran, for the checks afterwards. */
export interface Notes {
  /** A server kept the session under its ID. */
  storedSession: boolean;
  /** What the server chose, once a client knows it. */
  readonly version: number;
  /** What holds for the verifier after early data was refused. */
  verifierFlags: ConnectionFlags | undefined;
  /** The peer's key did what its certificate does not allow, and that was to be passed over. */
  sawKeyMisuse: boolean;
  /** The session in the client's ticket, and the time in milliseconds. */
  opened: { readonly session: Session; readonly at: number } | undefined;
  /** Complaints about what came in. */
  readonly complaints: string[];
}
