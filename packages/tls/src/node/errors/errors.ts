import { ALERTS, SSL30_ALERTS } from '../../alerts.ts';
import type { TlsError } from '../../errors.ts';
import { ALERTS_OF_SSL3 } from '../as-node/running-node.ts';
import { type OpensslError, protocolError, queuedError } from './openssl-errors.ts';
import { opensslReason } from './openssl-failures.ts';

/**
 * Errors as `node:tls` has them: a `code` to match on, the message that Node or OpenSSL would give, and for what
 * the engine found out, its `TlsError` as `cause`, which says more.
 */
export type NodeTlsError = OpensslError;

/**
 * The transport ended without close_notify, so data may be missing: someone on the way can do that. `node:tls`
 * calls it a normal end; here it is an error, since whoever reads up to the end would take a part for the whole
 * (RFC 9846 §6.1).
 */
export const TRUNCATED = 'ERR_TESTUDO_TRUNCATED';
/** An option of `node:tls` that is not supported here. */
export const UNSUPPORTED_OPTION = 'ERR_TESTUDO_UNSUPPORTED_OPTION';

/**
 * The error to emit for a failure of the engine.
 *
 * @param hasWritten whether data waits for the handshake that failed: then the failure is told as that of a write.
 */
export function toNodeError(error: TlsError, hasWritten: boolean = false): Error {
  const known = counterparts.get(error);
  if (known !== undefined) return known;
  const mapped = map(error);
  // As the constructor would: what lists the properties of an error finds those of Node.
  Object.defineProperty(mapped, 'cause', { value: error, writable: true, configurable: true });
  return hasWritten && mapped.library !== undefined ? protocolError(mapped) : mapped;
}

const counterparts = new WeakMap<TlsError, Error>();

/** Says which error is to be emitted when the connection fails with `error`. */
export function setCounterpart(error: TlsError, counterpart: Error): TlsError {
  counterparts.set(error, counterpart);
  return error;
}

/** What went wrong before anything was agreed on; the same words as Node's. */
export function connectionReset(role: 'client' | 'server', cause?: unknown): NodeTlsError {
  return nodeError(
    'ECONNRESET',
    role === 'client'
      ? 'Client network socket disconnected before secure TLS connection was established'
      : 'socket hang up',
    cause,
  );
}

export function handshakeTimeout(): NodeTlsError {
  return nodeError('ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS handshake timeout');
}

/** Somebody called back twice. */
export function multipleCallback(): NodeTlsError {
  return nodeError('ERR_MULTIPLE_CALLBACK', 'Callback called multiple times');
}

export function brokenPipe(): NodeTlsError {
  return nodeError('EPIPE', 'write EPIPE: the TLS connection no longer accepts data');
}

/** For writes that were under way. */
export function destroyed(): NodeTlsError {
  return nodeError('ERR_STREAM_DESTROYED', 'the socket was destroyed before the data was written');
}

export function invalidState(): NodeTlsError {
  return nodeError('ERR_TLS_INVALID_STATE', 'TLS socket connection must be securely established');
}

export function unsupportedOption(name: string, advice: string): NodeTlsError {
  return nodeError(UNSUPPORTED_OPTION, `the option ${name} is not supported: ${advice}`);
}

/** As {@link nodeError}, for what Node throws as a `TypeError`. */
export function nodeTypeError(code: string, message: string, cause?: unknown): NodeTlsError {
  return Object.assign(new TypeError(message, cause === undefined ? undefined : { cause }), { code });
}

export function nodeError(code: string, message: string, cause?: unknown): NodeTlsError {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code });
}

function map(error: TlsError): NodeTlsError {
  if (error.code === 'truncated') {
    return nodeError(TRUNCATED, `${error.message}; the peer or someone in between cut it off`);
  }
  if (error.code === 'handshake-timeout') return handshakeTimeout();
  if (error.code === 'too-many-renegotiations') {
    return nodeError('ERR_TLS_SESSION_ATTACK', 'TLS session renegotiation attack detected');
  }
  if (error.code === 'alert-received') return receivedAlert(error.receivedAlert ?? 'unknown');
  return queuedError(opensslReason(error), error.message);
}

/** OpenSSL puts the version that brought an alert into its name. */
function receivedAlert(alert: string): NodeTlsError {
  const words = alert.replaceAll(/[_()]/g, ' ');
  const age = SSL30_ALERTS.has(alert) ? ALERTS_OF_SSL3 : TLS13_ALERTS.has(alert) ? 'tlsv13' : 'tlsv1';
  // OpenSSL calls the alerts of RFC 6066 by their names alone.
  const reason = EXTENSION_ALERTS.has(alert) ? `tlsv1 ${words}` : `${age} alert ${words}`;
  const number = (ALERTS as Readonly<Record<string, number>>)[alert];
  return queuedError(reason, number === undefined ? '' : `SSL alert number ${number}`);
}

const TLS13_ALERTS: ReadonlySet<string> = new Set(['missing_extension', 'certificate_required']);
const EXTENSION_ALERTS: ReadonlySet<string> = new Set([
  'unsupported_extension',
  'certificate_unobtainable',
  'unrecognized_name',
  'bad_certificate_status_response',
  'bad_certificate_hash_value',
]);
