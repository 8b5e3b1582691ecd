import type { Flow } from '../flow.ts';
import type { Channel } from '../handshake/context.ts';
import type { ConnectionInfo, HandshakeResult } from '../handshake/result.ts';
import type { Observer } from '../observer.ts';
import type { Ssl2HelloReader } from '../record/ssl2-hello-reader.ts';
import type { Services } from '../requests.ts';
import type { ConnectionEvents } from './events.ts';

/** What makes a connection a client's or a server's, and whom it tells. */
export interface ConnectionParts {
  readonly flow: (channel: Channel) => Flow<HandshakeResult>;
  readonly services: Services;
  readonly events: ConnectionEvents;
  readonly observer: Observer | undefined;
  /** In the header of the first records. */
  readonly initialVersion: number;
  readonly ssl2Hello?: Ssl2HelloReader | undefined;
  /** The connection ends with a fatal alert: what it resumed or gave must not be resumed. */
  readonly abandonSession?: (info: ConnectionInfo | undefined) => void;
  readonly halfClose?: boolean | undefined;
}
