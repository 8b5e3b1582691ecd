import type { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket as NodeTlsSocket } from 'node:tls';
import type { Credential } from '../../certificates/credential.ts';
import type { Connection } from '../../connection/connection.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import type { HeartbeatRequest } from '../../heartbeat/heartbeat.ts';

/** A TLSSocket as the parts of this door know it: Node's, with the engine in it. The class itself stands above them. */
export interface EngineSocket extends NodeTlsSocket {
  /** What was agreed on; undefined until the handshake is complete. */
  readonly connectionInfo: ConnectionInfo | undefined;
  /** A server's: the one that it came from. */
  readonly server: NetServer | null;
  /** The stream below. */
  readonly transport: Duplex;
  /** True until 'secureConnect', or a server's 'secureConnection'. */
  secureConnecting: boolean;
  /** Whether the transport ended without close_notify. */
  truncated: boolean;
  /** Asks the peer for a sign of life (RFC 6520): the round trip in milliseconds. */
  heartbeat(options?: HeartbeatRequest & { readonly timeout?: number | undefined }): Promise<number>;
  /** Begins the handshake, if it has not begun. */
  _start(): void;
  /** Whether its errors are those of whoever has it. */
  _controlReleased: boolean;
  /** The listener for its own errors: null when nobody has to hear of it. */
  _tlsError(error: Error): Error | null;
  /** Tells an error that does not end the socket by itself. */
  _emitTLSError(error: Error): void;
  /** The handshake has taken too long. */
  _handleTimeout(): void;
  /** @internal The engine's connection; undefined until the handshake begins. */
  readonly _connection: Connection | undefined;
  /** @internal */
  readonly _isServer: boolean;
  /** @internal Those of its options that its parts look at. */
  _tlsOptions: {
    readonly requestCert?: boolean | undefined;
    readonly rejectUnauthorized?: boolean | undefined;
  };
  /** @internal What the verifier found wrong with the peer's certificate. */
  _peerError: Error | undefined;
  /** @internal A server's, since `setKeyCert`. */
  _shown: readonly Credential[] | undefined;
  /** @internal Bytes of application data. */
  readonly _traffic: { readonly read: number; readonly written: number };
}
