import { TlsError } from '../errors.ts';
import { invalidState, nodeError } from './errors.ts';
import type { TLSSocket } from './socket.ts';

export type RenegotiationCallback = (error: Error | null) => void;

/** What `renegotiate` takes. */
export interface RenegotiateOptions {
  /** A server: ask for the client's certificate. With TLS 1.3, too, where both sides have `postHandshakeAuth`. */
  readonly requestCert?: boolean | undefined;
  /** Whether a client without one is refused. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/**
 * Negotiates anew. The callback gets null when that is done, `ERR_TLS_RENEGOTIATION_DISABLED` when it is not possible or
 * the peer does not want to, and whatever ends the connection meanwhile. False when it was not even begun.
 */
export function renegotiate(
  socket: TLSSocket,
  options: RenegotiateOptions,
  callback: RenegotiationCallback | undefined,
  flush: () => void,
): boolean {
  const problem = begin(socket, options);
  if (problem !== undefined) {
    if (callback !== undefined) process.nextTick(callback, problem);
    return false;
  }
  if (callback !== undefined) report(socket, callback);
  flush();
  return true;
}

function begin(socket: TLSSocket, options: RenegotiateOptions): Error | undefined {
  const connection = socket._connection;
  if (connection === undefined || socket.connectionInfo === undefined || socket.destroyed) {
    return invalidState();
  }
  try {
    if (socket._isServer && options.requestCert) {
      const rejectUnauthorized = options.rejectUnauthorized !== false;
      connection.requestClientCertificate({ required: rejectUnauthorized });
      socket._tlsOptions = { ...socket._tlsOptions, requestCert: true, rejectUnauthorized };
    } else connection.renegotiate();
    return undefined;
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    return disabled(error);
  }
}

function report(socket: TLSSocket, callback: RenegotiationCallback): void {
  let failure: Error | undefined;
  const settle = (error: Error | null): void => {
    socket.off('secure', onSecure);
    socket.off('renegotiationDeclined', onDeclined);
    socket.off('error', onError);
    socket.off('close', onClose);
    callback(error);
  };
  const onSecure = (): void => settle(null);
  const onDeclined = (): void => settle(disabled());
  const onError = (error: Error): void => {
    failure = error;
  };
  const onClose = (): void => settle(failure ?? nodeError('ECONNRESET', 'the connection ended before that'));
  socket.once('secure', onSecure);
  socket.once('renegotiationDeclined', onDeclined);
  socket.prependOnceListener('error', onError);
  socket.once('close', onClose);
}

/** For a peer that did it against `disableRenegotiation`, in Node's words. */
export function renegotiationDisabled(): Error {
  return nodeError('ERR_TLS_RENEGOTIATION_DISABLED', 'TLS session renegotiation disabled for this socket');
}

function disabled(cause?: Error): Error {
  return nodeError(
    'ERR_TLS_RENEGOTIATION_DISABLED',
    'TLS session renegotiation is not possible: TLS 1.3 has none, and up to 1.2 both sides must allow it (option renegotiation)',
    cause,
  );
}
