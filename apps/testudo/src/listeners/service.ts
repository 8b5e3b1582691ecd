import type { TLSSocket } from '@testudo/tls/node';
import type { ConnectionRecord } from '../observe/connection-record.ts';

/** What is behind a listener: it gets the connections whose handshake is complete. */
export interface Service {
  /** Owns the socket from here on, its errors included. */
  accept(socket: TLSSocket, record: ConnectionRecord): void;
  /** No connection comes any more: those without work end, the others after it. */
  drain(): void;
  /** All connections are gone. */
  close(): void;
}
