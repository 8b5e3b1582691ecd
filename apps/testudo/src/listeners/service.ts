import type { TLSSocket } from '@testudo/tls/node';
import type { ConnectionRecord } from '../observe/connection-record.ts';

/** What is behind a listener: it gets the connections whose handshake is complete. */
export interface Service {
  /** Whether it shows what happened on a connection. Default false: nothing of it is noted. */
  readonly wantsRecords?: boolean;
  /** Owns the socket from here on, its errors included. `record` where records are wanted. */
  accept(socket: TLSSocket, record?: ConnectionRecord): Served;
  /** No connection comes any more: those without work end, the others after it. */
  drain(): void;
  /** All connections are gone. */
  close(): void;
}

/** A connection that a service has. */
export interface Served {
  /** Whether what the client waits for is still to come from the service: then it is not the client who is idle. */
  isBusy(): boolean;
  /** Ends it from our side, both ends of it, with a close_notify first; `grace` as in `farewell`. */
  end(grace?: number): void;
}
