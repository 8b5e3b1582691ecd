import { isIP } from 'node:net';
import type { CertificateVerifier } from '../../certificates/verdict.ts';
import type { Connection } from '../../connection/connection.ts';
import { clientConnection, serverConnection } from '../../connection/endpoint.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { type Observer, observers } from '../../observer.ts';
import type { Session } from '../../sessions/session.ts';
import { readProtocols } from '../context/alpn.ts';
import { givenFunction } from '../context/option-table.ts';
import type { PskClientCallback } from '../context/psk.ts';
import { contextOf, type SecureContext, sharedSecureContext } from '../context/secure-context.ts';
import { type Strictness, strictnessOf } from '../context/strictness.ts';
import { userError } from '../errors/user-error.ts';
import { setupOf, withCredentials } from '../server/server-setup.ts';
import type { Link } from '../transport/link.ts';
import type { ServerSetup, TLSSocketOptions } from '../types.ts';
import { asciiName } from '../verification/ascii-name.ts';
import { checkServerIdentity } from '../verification/identity.ts';
import type { ConfiguredSocket } from './configured-socket.ts';
import type { ConnectionSession } from './connection-session.ts';
import type { EngineSocket } from './engine-socket.ts';
import { authorize } from './judgement.ts';
import { keyLogObserver } from './key-log.ts';
import { renegotiationDisabled } from './renegotiation.ts';
import { traceObserver } from './trace.ts';

/** The side of a handshake that a TLSSocket is on, with all that it needs to make the engine's connection. */
export class HandshakeSide {
  /** Where this side is stricter than Node. */
  readonly strictness: Strictness;
  readonly #socket: ConfiguredSocket;
  /** A server's. */
  #setup: ServerSetup | undefined;
  /** A client's. */
  #context: SecureContext | undefined;
  #trace: Observer | undefined;
  #takesRenegotiation = true;
  #signatureSchemes: readonly number[] = [];
  #verify: CertificateVerifier | undefined;

  /** Throws as Node for options that are wrong. */
  constructor(socket: ConfiguredSocket) {
    this.#socket = socket;
    const { _tlsOptions: options } = socket;
    if (options.isServer) this.#setup = options.settings ?? setupOf(options);
    else this.#context = contextOf(options, sharedSecureContext);
    this.strictness = (this.#context ?? this.#setup)?.strictness ?? strictnessOf(options.strict);
  }

  /** Signature schemes that this side takes, by number; none before there is a connection. */
  get signatureSchemes(): readonly number[] {
    return this.#signatureSchemes;
  }

  /** From the next connection on. */
  trace(): void {
    this.#trace ??= traceObserver();
  }

  /** Another certificate is shown; `replace` puts another connection in the place of a server's that has seen nothing yet. */
  show(context: SecureContext, replace: () => void): void {
    if (this.#setup === undefined) {
      this.#context = context;
      return;
    }
    const { credentials } = context;
    this.#socket._shown = credentials;
    this.#setup = withCredentials(this.#setup, credentials);
    replace();
  }

  /** A server: a renegotiation ends the connection from now on. */
  barRenegotiation(): void {
    this.#takesRenegotiation = false;
    const { _connection: connection } = this.#socket;
    if (connection !== undefined) this.#bar(connection);
  }

  #bar(connection: Connection): void {
    if (this.#socket._isServer)
      connection.barRenegotiation(userError('disableRenegotiation', renegotiationDisabled()));
  }

  /** One that has not started. */
  connection(link: Link, session: ConnectionSession): Connection {
    const socket = this.#socket;
    const { _tlsOptions: options } = socket;
    const observer = keyLogObserver(socket, observers(options.observer, this.#trace));
    const offered = session.offer();
    const { connection, signatureSchemes, verify } =
      this.#setup !== undefined
        ? serverSide(socket, this.#setup, link, observer)
        : clientSide(options, this.#context!, link, { observer, session: offered });
    this.#signatureSchemes = signatureSchemes;
    this.#verify = verify;
    if (!this.#takesRenegotiation) this.#bar(connection);
    return connection;
  }

  /** Notes what is known of the peer's certificate when the handshake is complete. */
  authorize(info: ConnectionInfo): void {
    const { identity } = this.#socket._tlsOptions;
    const isJudged = this.strictness.verdictInHandshake;
    authorize(this.#socket, info, this.#verify, { name: identity, isJudged });
  }
}

/** A connection that has not started, and what of its configuration is asked for later. */
interface MadeConnection {
  readonly connection: Connection;
  readonly signatureSchemes: readonly number[];
  readonly verify: CertificateVerifier | undefined;
}

function serverSide(
  socket: EngineSocket,
  setup: ServerSetup,
  events: Link,
  observer: Observer | undefined,
): MadeConnection {
  const { config: given } = setup;
  const config = typeof given === 'function' ? given(socket) : given;
  const connection = serverConnection(config, { events, observer, halfClose: true });
  return {
    connection,
    signatureSchemes: config.signatureSchemeIds,
    verify: config.options.verifyCertificate,
  };
}

function clientSide(
  options: TLSSocketOptions,
  context: SecureContext,
  events: Link,
  parts: { readonly observer: Observer | undefined; readonly session: Session | undefined },
): MadeConnection {
  const { servername } = options;
  const { observer, session } = parts;
  const rejectUnauthorized = options.rejectUnauthorized !== false;
  const config = context.clientConfig({
    alpnProtocols: readProtocols(options.ALPNProtocols),
    rejectUnauthorized,
    checkServerIdentity: options.checkServerIdentity ?? checkServerIdentity,
    requestOcsp: Boolean(options.requestOCSP),
    pskCallback: givenFunction('pskCallback', options.pskCallback as PskClientCallback | undefined),
  });
  const connection = clientConnection(config, {
    events,
    observer,
    halfClose: true,
    host: asciiName(options.identity || servername || options.host || '') || undefined,
    serverName:
      servername && isIP(servername) === 0 ? asciiName(servername).replace(/\.$/, '').toLowerCase() : '',
    earlyData: earlyBytes(options) !== undefined,
    session,
  });
  return {
    connection,
    signatureSchemes: config.signatureSchemeIds,
    verify: config.options.verifyCertificate,
  };
}

/** A client's data for the first flight; undefined where there is none. */
export function earlyBytes({ isServer, earlyData }: TLSSocketOptions): Uint8Array | undefined {
  return !isServer && earlyData instanceof Uint8Array && earlyData.length > 0 ? earlyData : undefined;
}
