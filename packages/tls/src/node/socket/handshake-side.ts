import { isIP } from 'node:net';
import type { CertificateVerifier } from '../../certificates/verdict.ts';
import type { Connection } from '../../connection/connection.ts';
import { clientConnection, serverConnection } from '../../connection/endpoint.ts';
import type { Observer } from '../../observer.ts';
import type { Session } from '../../sessions/session.ts';
import { readProtocols } from '../context/alpn.ts';
import { givenFunction } from '../context/option-table.ts';
import type { PskClientCallback } from '../context/psk.ts';
import type { SecureContext } from '../context/secure-context.ts';
import type { Link } from '../transport/link.ts';
import type { ServerSetup, TLSSocketOptions } from '../types.ts';
import { asciiName } from '../verification/ascii-name.ts';
import { checkServerIdentity } from '../verification/identity.ts';
import type { EngineSocket } from './engine-socket.ts';

/** A connection that has not started, and the signature schemes that this side takes, by number. */
export interface HandshakeSide {
  readonly connection: Connection;
  readonly signatureSchemes: readonly number[];
  readonly verify: CertificateVerifier | undefined;
}

export function serverSide(
  socket: EngineSocket,
  setup: ServerSetup,
  events: Link,
  observer: Observer | undefined,
): HandshakeSide {
  const { config: given } = setup;
  const config = typeof given === 'function' ? given(socket) : given;
  const connection = serverConnection(config, { events, observer, halfClose: true });
  return {
    connection,
    signatureSchemes: config.signatureSchemeIds,
    verify: config.options.verifyCertificate,
  };
}

export function clientSide(
  options: TLSSocketOptions,
  context: SecureContext,
  events: Link,
  parts: { readonly observer: Observer | undefined; readonly session: Session | undefined },
): HandshakeSide {
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
