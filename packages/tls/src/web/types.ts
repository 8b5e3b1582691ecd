import type { ConnectionInfo } from '../handshake/result.ts';
import type { Observer } from '../observer.ts';

/** What carries the records: two WHATWG streams of bytes. TLS holds their locks until the connection is over. */
export interface Transport {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A TLS connection as two streams of application data; the handshake is complete. */
export interface TlsStream {
  /**
   * What the peer sends. Ends at its close_notify. Errors with a `TlsError`, after the data that came before:
   * `truncated` when the transport ended without close_notify. Cancelling it stops reading from the transport.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes to the peer. Closing it sends close_notify and leaves `readable` open; aborting it aborts all. */
  readonly writable: WritableStream<Uint8Array>;
  readonly info: ConnectionInfo;
  /** Fulfilled when both directions are over and the transport is closed; rejected with the `TlsError` otherwise. */
  readonly closed: Promise<void>;
  /** Replaces our keys by a KeyUpdate, and asks the peer to replace its own. Throws `not-connected` below TLS 1.3. */
  updateKeys(options?: { requestPeer: boolean }): void;
  /** Keying material for another protocol (RFC 5705 §4, RFC 9846 §7.5); `length` in bytes. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array;
  /**
   * Closes both directions: sends what `writable` holds and close_notify, drops what still comes, and waits two
   * seconds at most for the peer's end. Where a writer is held, what waits behind its current write is dropped.
   */
  close(): Promise<void>;
  /** Gives up at once: both streams error with `aborted`, whose cause is `reason`, and the peer gets an alert. */
  abort(reason?: unknown): void;
}

export interface StreamOptions {
  /** Gives up the handshake or, later, the connection. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the handshake fails with `handshake-timeout`; 0 for no limit. Default 30,000. */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Bytes that `readable` takes from the transport before somebody reads them, and a chunk more; so alerts, tickets
   * and the peer's end are noticed early. Default 16,384; 0: nothing is taken until somebody reads.
   */
  readonly readAhead?: number | undefined;
  readonly observer?: Observer | undefined;
}
