import { constants } from 'node:os';
import { ALERTS } from '../../alerts.ts';

/**
 * Errors in OpenSSL's own form, since programs read them: a number made of library and reason, and words. Which function,
 * file and line it was, they do not say.
 */
export interface OpensslError extends Error {
  code: string;
  library?: string;
  reason?: string;
}

/** An error that OpenSSL gives back: `error:0A00018F:SSL routines::ee key too small`. The code is made of the reason. */
export function opensslError(
  reason: string,
  cause?: unknown,
  library: OpensslLibrary = 'SSL routines',
): OpensslError {
  return made(`error:${numberOf(library, reason)}:${library}::${reason}`, { library, reason, cause });
}

/** One of the queue that libssl leaves behind, as a line of text with room for details. */
export function queuedError(reason: string, details: string, cause?: unknown): OpensslError {
  const library = 'SSL routines';
  const place = reason.includes(' alert ') || reason.startsWith('tlsv1 ') ? 'ssl3_read_bytes' : '';
  const number = numberOf(library, reason);
  const text = `${THREAD}:error:${number}:${library}:${place}:${reason}:::${details}\n`;
  return made(text, { library, reason, cause });
}

/** What whoever wrote meanwhile gets of such an error. */
export function protocolError(queued: OpensslError): Error {
  const { message, cause } = queued;
  const failed = new Error(`write EPROTO ${message}`, { cause });
  return Object.assign(failed, { errno: -constants.errno.EPROTO, code: 'EPROTO', syscall: 'write' });
}

/** Numbers of libraries, and what Node puts before the reason in a code. */
const LIBRARIES = {
  'SSL routines': { number: 20, prefix: 'ERR_SSL_' },
  'PEM routines': { number: 9, prefix: 'ERR_OSSL_PEM_' },
  'x509 certificate routines': { number: 11, prefix: 'ERR_OSSL_X509_' },
  'DECODER routines': { number: 60, prefix: 'ERR_OSSL_' },
  'Provider routines': { number: 57, prefix: 'ERR_OSSL_' },
} as const;

export type OpensslLibrary = keyof typeof LIBRARIES;

/** Numbers of reasons. Those that OpenSSL does not have are 0. */
const REASONS: Readonly<Record<string, number>> = {
  // libssl
  'no suitable key share': 101,
  'bad key share': 108,
  'no suitable signature algorithm': 118,
  'bad signature': 123,
  'too many key updates': 132,
  'digest check failed': 149,
  'http request': 156,
  'no ciphers available': 181,
  'no cipher match': 185,
  'no protocols available': 191,
  'no shared cipher': 193,
  'packet length too long': 198,
  'peer did not return a certificate': 199,
  'unsolicited extension': 217,
  'no application protocol': 235,
  'unexpected message': 244,
  'psk identity not found': 223,
  'binder does not verify': 253,
  'unsupported protocol': 258,
  'wrong ssl version': 266,
  'wrong version number': 267,
  'ssl session id context too long': 273,
  'invalid command': 280,
  'decryption failed or bad record mac': 281,
  'no renegotiation': 339,
  'inappropriate fallback': 373,
  'no shared signature algorithms': 376,
  'ca key too small': 397,
  'ca md too weak': 398,
  'ee key too small': 399,
  'internal error': 0xc0103,
  // The others
  'bad decrypt': 100,
  'ASN1 lib': 0x8000d,
  'bad base64 decode': 100,
  'bad end line': 102,
  'no start line': 108,
  'key values mismatch': 116,
  unsupported: 0x8010c,
};

/** Where OpenSSL has the thread. */
const THREAD = '0000000000000000';
/** An alert's reason is its number and this. */
const FIRST_ALERT = 1000;

function numberOf(library: OpensslLibrary, reason: string): string {
  const number = REASONS[reason] ?? alertNumber(reason) ?? 0;
  return (LIBRARIES[library].number * 0x800000 + number).toString(16).toUpperCase().padStart(8, '0');
}

function alertNumber(reason: string): number | undefined {
  const name = /^(?:sslv3|ssl\/tls|tlsv1|tlsv13) (?:alert )?(.+)$/.exec(reason)?.[1]?.replaceAll(' ', '_');
  const alert = name === undefined ? undefined : (ALERTS as Readonly<Record<string, number>>)[name];
  return alert === undefined ? undefined : FIRST_ALERT + alert;
}

function made(
  message: string,
  { library, reason, cause }: { library: OpensslLibrary; reason: string; cause: unknown },
): OpensslError {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  const code = LIBRARIES[library].prefix + reason.toUpperCase().replaceAll(' ', '_');
  return Object.assign(error, { library, reason, code });
}
