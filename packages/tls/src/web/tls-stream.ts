import { clientConfig } from '../config/client.ts';
import type { ClientConfig, ServerConfig } from '../config/config.ts';
import { serverConfig } from '../config/server.ts';
import { clientConnection, serverConnection } from '../connection/endpoint.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { Session } from '../sessions/session.ts';
import { StreamConnection } from './stream-connection.ts';
import type { StreamOptions, TlsStream, Transport } from './types.ts';

/** A client's options; or its checked configuration, to share among connections. */
export type ConnectTlsOptions = (ClientOptions | { readonly config: ClientConfig }) &
  StreamOptions & {
    /** The name or IP address whose certificate is wanted. Default: whatever certificate the verifier takes. */
    readonly host?: string | undefined;
    /** The name for SNI; empty for none. Default: `host` when it is a name. */
    readonly serverName?: string | undefined;
    /** A session to resume. */
    readonly session?: Session | undefined;
    /** Gets each session that can be resumed later. */
    readonly onSession?: ((session: Session) => void) | undefined;
  };

/** A server's options; or its checked configuration, to share among connections. */
export type AcceptTlsOptions = (ServerOptions | { readonly config: ServerConfig }) & StreamOptions;

/** A client's handshake over `transport`. Rejects with a `TlsError`; the transport is closed then. */
export async function connectTls(transport: Transport, options: ConnectTlsOptions): Promise<TlsStream> {
  const config = 'config' in options ? options.config : clientConfig(options);
  const { host, serverName, session, observer, onSession } = options;
  const connection = new StreamConnection(transport, options, (events) =>
    clientConnection(config, {
      host,
      serverName,
      session,
      observer,
      events: { ...events, session: (fresh) => onSession?.(fresh) },
    }),
  );
  return connection.handshake();
}

/** A server's handshake over `transport`. Rejects with a `TlsError`; the transport is closed then. */
export async function acceptTls(transport: Transport, options: AcceptTlsOptions): Promise<TlsStream> {
  const config = 'config' in options ? options.config : serverConfig(options);
  const { observer } = options;
  const connection = new StreamConnection(transport, options, (events) =>
    serverConnection(config, { observer, events }),
  );
  return connection.handshake();
}
