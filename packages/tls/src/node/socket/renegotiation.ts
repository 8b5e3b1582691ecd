import { TlsError } from '../../errors.ts';
import { invalidState, nodeError } from '../errors/errors.ts';
import { opensslError } from '../errors/openssl-errors.ts';
import type { EngineSocket } from './engine-socket.ts';

export type RenegotiationCallback = (error: Error | null) => void;

/** What `renegotiate` takes. */
export interface RenegotiateOptions {
  /** A server: ask for the client's certificate. With TLS 1.3, too, where both sides have `postHandshakeAuth`. */
  readonly requestCert?: boolean | undefined;
  /** Whether a client without one is refused. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/**
 * Negotiates anew. As in Node, the callback hears null when that is done, and why it could not be begun; what ends the
 * connection meanwhile is told by the socket alone. False when it was not even begun.
 */
export function renegotiate(
  socket: EngineSocket,
  options: RenegotiateOptions,
  callback: RenegotiationCallback | undefined,
  flush: () => void,
): boolean {
  const problem = begin(socket, options);
  if (problem !== undefined) {
    if (callback !== undefined) process.nextTick(callback, problem);
    return false;
  }
  if (callback !== undefined) socket.once('secure', () => callback(null));
  flush();
  return true;
}

function begin(socket: EngineSocket, options: RenegotiateOptions): Error | undefined {
  const connection = socket._connection;
  const info = socket.connectionInfo;
  if (connection === undefined || info === undefined) return invalidState();
  try {
    if (socket._isServer && options.requestCert) {
      const rejectUnauthorized = options.rejectUnauthorized !== false;
      connection.requestClientCertificate({ required: rejectUnauthorized });
      socket._tlsOptions = { ...socket._tlsOptions, requestCert: true, rejectUnauthorized };
    } else connection.renegotiate();
    return undefined;
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    return info.version === 'TLSv1.3' ? opensslError('wrong ssl version', error) : disabled(error);
  }
}

/** For a peer that did it against `disableRenegotiation`, in Node's words. */
export function renegotiationDisabled(): Error {
  return nodeError('ERR_TLS_RENEGOTIATION_DISABLED', 'TLS session renegotiation disabled for this socket');
}

function disabled(cause: Error): Error {
  return nodeError(
    'ERR_TLS_RENEGOTIATION_DISABLED',
    'TLS session renegotiation is not possible: it is off (strict, renegotiation, secureOptions), or the peer does not do it securely (RFC 5746)',
    cause,
  );
}
