import type { ServerOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type * as nodeTls from 'node:tls';
import type { ServerConfig } from '../config/config.ts';
import type { Observer } from '../observer.ts';
import type { SecureContextOptions } from './context/context-options.ts';
import type { EarlyDataSettings } from './context/engine-options.ts';
import type { PskAnswer, PskClientCallback } from './context/psk.ts';
import type { SecureContext } from './context/secure-context.ts';
import type { Strictness } from './context/strictness.ts';
import type { OnReadOptions } from './socket/buffer-reader.ts';
import type { EngineSocket } from './socket/engine-socket.ts';
import type { IdentityCheck } from './verification/identity-check.ts';

export type SniCallback = (
  servername: string,
  callback: (error: Error | null, context?: SecureContext | nodeTls.SecureContext) => void,
) => void;

export type AlpnCallback = (hello: { servername: string; protocols: string[] }) => string | undefined;

/** What is asked of a connection besides keys, trust and algorithms. Defaults are those of `node:tls`. */
export interface ConnectionSettings extends EarlyDataSettings {
  /** Of ours; one of Node's is refused with `ERR_TLS_INVALID_CONTEXT`. */
  secureContext?: SecureContext | nodeTls.SecureContext | undefined;
  /** Names by preference, or ALPN's wire format. Default: none. */
  ALPNProtocols?: readonly (string | Uint8Array)[] | NodeJS.ArrayBufferView | undefined;
  /** False lets the connection stand although the peer is not who it should be. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** Default false. */
  allowHalfOpen?: boolean | undefined;
  /** Bytes the stream holds before it stops reading. Default: that of streams. */
  highWaterMark?: number | undefined;
  /** Sees records, messages and keys. Not in `node:tls`. */
  observer?: Observer | undefined;
  /** Writes what goes over the wire to stderr. Default false. */
  enableTrace?: boolean | undefined;
}

/** What only a server's side uses. */
export interface ServerSideSettings {
  /** Asks for a client certificate. Default false. */
  requestCert?: boolean | undefined;
  /** Chooses a context by name. Default: those that `addContext` was given. */
  SNICallback?: SniCallback | undefined;
  /** Chooses the protocol; undefined refuses. Not together with `ALPNProtocols`. */
  ALPNCallback?: AlpnCallback | undefined;
  /** The key for the identity that a client names. */
  pskCallback?: PskServerCallback | undefined;
  /** Tells clients up to TLS 1.2 which of their keys to name. */
  pskIdentityHint?: string | undefined;
}

export interface TLSSocketOptions
  extends SecureContextOptions,
    ConnectionSettings,
    Omit<ServerSideSettings, 'pskCallback'> {
  /** A server's, or with `isServer` false a client's. */
  pskCallback?: PskServerCallback | PskClientCallback | undefined;
  /** Default false. */
  isServer?: boolean | undefined;
  server?: unknown;
  session?: Buffer | undefined;
  requestOCSP?: boolean | undefined;
  /** The name in SNI, and the one that the server's certificate must have; an empty one for no SNI. */
  servername?: string | undefined;
  /** @internal The name that the certificate must have, where it is not `servername`. */
  identity?: string | undefined;
  /** The name that the certificate must have when `servername` is not given. */
  host?: string | undefined;
  checkServerIdentity?: IdentityCheck | undefined;
  signal?: AbortSignal | undefined;
  /** Data goes into one buffer and to a callback instead of the stream. */
  onread?: OnReadOptions | undefined;
  port?: number | undefined;
  path?: string | undefined;
  localAddress?: string | undefined;
  /** @internal A client that begins by itself. Default: it waits for `_start`, or for something to be written. */
  begins?: boolean | undefined;
  /** @internal The transport was made for this socket, or accepted for it, and nobody else has it. */
  ownsTransport?: boolean | undefined;
  /** A server's configuration in the engine's own terms, in place of all other options about TLS. Not in `node:tls`. */
  settings?: ServerSetup | undefined;
}

/** What `connect` takes: as `tls.connect`, and whatever `net.connect` takes. */
export interface ConnectionOptions
  extends SecureContextOptions,
    Omit<
      nodeTls.ConnectionOptions,
      | keyof SecureContextOptions
      | 'secureContext'
      | 'SNICallback'
      | 'checkServerIdentity'
      | 'ALPNProtocols'
      | 'pskCallback'
      | 'enableTrace'
    >,
    ConnectionSettings {
  checkServerIdentity?: IdentityCheck | undefined;
  /** The key that this client shares with the server. */
  pskCallback?: PskClientCallback | undefined;
  requestOCSP?: boolean | undefined;
  socket?: Duplex | undefined;
  signal?: AbortSignal | undefined;
  onread?: OnReadOptions | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
  family?: number | undefined;
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  keepAliveInitialDelay?: number | undefined;
  autoSelectFamily?: boolean | undefined;
  autoSelectFamilyAttemptTimeout?: number | undefined;
}

/** What `createServer` takes: as `tls.createServer`, and whatever `net.createServer` takes. */
export interface TlsOptions
  extends SecureContextOptions,
    Omit<
      nodeTls.TlsOptions,
      | keyof SecureContextOptions
      | 'secureContext'
      | 'SNICallback'
      | 'ALPNProtocols'
      | 'pskCallback'
      | 'pskIdentityHint'
      | 'enableTrace'
      | keyof ServerOpts
    >,
    ServerOpts,
    ConnectionSettings,
    ServerSideSettings {}

/** A server's key for the identity that a client named; null refuses it. */
export type PskServerCallback = (socket: EngineSocket, identity: string) => PskAnswer;

/** What a server's connections share: worked out once for a {@link SecureContext}. */
export interface ServerSetup {
  readonly requestCert: boolean;
  /** Default: as the socket's option `strict` says. */
  readonly strictness?: Strictness | undefined;
  /** The configuration, or what makes one for each connection. */
  readonly config: ServerConfig | ((socket: EngineSocket) => ServerConfig);
}
