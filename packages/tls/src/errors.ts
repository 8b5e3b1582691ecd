import { DecodeError } from '@testudo/codec';
import { CryptoError } from '@testudo/crypto';
import type { AlertName } from './alerts.ts';

/** Whose fault it is, and so what a user can do about it. */
export type Reason =
  /** The peer broke the protocol: a bug, or an attack. */
  | 'PeerMisbehaved'
  /** Both sides are right, but share no version, suite, group, signature scheme or application protocol. */
  | 'PeerIncompatible'
  /** Bytes that are not the message they should be. */
  | 'InvalidMessage'
  /** A record that fails authentication or is too long. */
  | 'InvalidRecord'
  /** The peer's certificate was not accepted, or was needed and missing. */
  | 'CertificateRejected'
  /** The peer sent a fatal alert. */
  | 'AlertReceived'
  /** The transport ended without close_notify: what came may not be all (RFC 9846 §6.1). */
  | 'Truncated'
  /** Something on this side failed: a signer, a store, a limit, a mistake in the options. */
  | 'Local';

type Failure = { readonly reason: Reason; readonly alert: AlertName | 'none' };

/** Every way in which a connection can fail, and the alert that tells the peer. Codes are stable. */
const FAILURES = {
  'unexpected-message': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'interleaved-handshake': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'too-many-empty-records': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'too-many-key-updates': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'too-many-warning-alerts': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'too-much-early-data': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'too-many-tickets': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'too-much-waiting': { reason: 'PeerMisbehaved', alert: 'unexpected_message' },
  'renegotiation-refused': { reason: 'PeerMisbehaved', alert: 'handshake_failure' },
  'too-many-renegotiations': { reason: 'PeerMisbehaved', alert: 'handshake_failure' },
  'illegal-parameter': { reason: 'PeerMisbehaved', alert: 'illegal_parameter' },
  'bad-key-share': { reason: 'PeerMisbehaved', alert: 'illegal_parameter' },
  'unsolicited-extension': { reason: 'PeerMisbehaved', alert: 'unsupported_extension' },
  'misplaced-extension': { reason: 'PeerMisbehaved', alert: 'illegal_parameter' },
  'duplicate-extension': { reason: 'PeerMisbehaved', alert: 'illegal_parameter' },
  'missing-extension': { reason: 'PeerMisbehaved', alert: 'missing_extension' },
  'downgrade-detected': { reason: 'PeerMisbehaved', alert: 'illegal_parameter' },
  'bad-signature': { reason: 'PeerMisbehaved', alert: 'decrypt_error' },
  'bad-finished': { reason: 'PeerMisbehaved', alert: 'decrypt_error' },
  'bad-binder': { reason: 'PeerMisbehaved', alert: 'decrypt_error' },
  'insecure-renegotiation': { reason: 'PeerMisbehaved', alert: 'handshake_failure' },
  'extended-master-secret-mismatch': { reason: 'PeerMisbehaved', alert: 'handshake_failure' },
  'request-by-anonymous-server': { reason: 'PeerMisbehaved', alert: 'handshake_failure' },
  'encrypt-then-mac-dropped': { reason: 'PeerMisbehaved', alert: 'handshake_failure' },
  'message-too-long': { reason: 'PeerMisbehaved', alert: 'illegal_parameter' },
  'empty-certificate-list': { reason: 'PeerMisbehaved', alert: 'decode_error' },
  'ech-undecryptable': { reason: 'PeerMisbehaved', alert: 'decrypt_error' },

  'no-common-version': { reason: 'PeerIncompatible', alert: 'protocol_version' },
  'early-data-refused-by-version': { reason: 'PeerIncompatible', alert: 'protocol_version' },
  'no-common-cipher-suite': { reason: 'PeerIncompatible', alert: 'handshake_failure' },
  'no-common-group': { reason: 'PeerIncompatible', alert: 'handshake_failure' },
  'no-common-finite-field': { reason: 'PeerIncompatible', alert: 'insufficient_security' },
  'no-common-signature-scheme': { reason: 'PeerIncompatible', alert: 'handshake_failure' },
  'no-common-certificate-type': { reason: 'PeerIncompatible', alert: 'unsupported_certificate' },
  'no-common-protocol': { reason: 'PeerIncompatible', alert: 'no_application_protocol' },
  'no-extended-master-secret': { reason: 'PeerIncompatible', alert: 'handshake_failure' },
  'export-refused': { reason: 'PeerIncompatible', alert: 'none' },
  'weak-parameters': { reason: 'PeerIncompatible', alert: 'insufficient_security' },
  'renegotiation-declined': { reason: 'PeerIncompatible', alert: 'handshake_failure' },
  'no-psk': { reason: 'PeerIncompatible', alert: 'handshake_failure' },
  'no-certificate-for-name': { reason: 'PeerIncompatible', alert: 'unrecognized_name' },
  'no-certificate': { reason: 'Local', alert: 'handshake_failure' },
  'unknown-psk-identity': { reason: 'PeerIncompatible', alert: 'unknown_psk_identity' },
  'inappropriate-fallback': { reason: 'PeerIncompatible', alert: 'inappropriate_fallback' },
  'ech-rejected': { reason: 'PeerIncompatible', alert: 'ech_required' },
  'not-tls': { reason: 'PeerIncompatible', alert: 'protocol_version' },

  'malformed-message': { reason: 'InvalidMessage', alert: 'decode_error' },

  'bad-record-mac': { reason: 'InvalidRecord', alert: 'bad_record_mac' },
  'decompression-failure': { reason: 'InvalidRecord', alert: 'decompression_failure' },
  'record-overflow': { reason: 'InvalidRecord', alert: 'record_overflow' },
  'bad-record': { reason: 'InvalidRecord', alert: 'unexpected_message' },
  'malformed-record': { reason: 'InvalidRecord', alert: 'decode_error' },

  'bad-certificate': { reason: 'CertificateRejected', alert: 'bad_certificate' },
  'certificate-expired': { reason: 'CertificateRejected', alert: 'certificate_expired' },
  'certificate-unsupported': { reason: 'CertificateRejected', alert: 'unsupported_certificate' },
  'certificate-unknown': { reason: 'CertificateRejected', alert: 'certificate_unknown' },
  'bad-certificate-status': { reason: 'CertificateRejected', alert: 'bad_certificate_status_response' },
  'certificate-revoked': { reason: 'CertificateRejected', alert: 'certificate_revoked' },
  'unknown-ca': { reason: 'CertificateRejected', alert: 'unknown_ca' },
  'certificate-required': { reason: 'CertificateRejected', alert: 'certificate_required' },
  'peer-changed': { reason: 'CertificateRejected', alert: 'bad_certificate' },
  'client-certificate-missing': { reason: 'CertificateRejected', alert: 'handshake_failure' },

  'alert-received': { reason: 'AlertReceived', alert: 'none' },
  truncated: { reason: 'Truncated', alert: 'none' },

  'internal-error': { reason: 'Local', alert: 'internal_error' },
  'signing-failed': { reason: 'Local', alert: 'internal_error' },
  'key-limit-reached': { reason: 'Local', alert: 'internal_error' },
  aborted: { reason: 'Local', alert: 'user_canceled' },
  'handshake-timeout': { reason: 'Local', alert: 'user_canceled' },
  'no-version-enabled': { reason: 'Local', alert: 'protocol_version' },
  'no-cipher-suite-enabled': { reason: 'Local', alert: 'handshake_failure' },
  'not-connected': { reason: 'Local', alert: 'none' },
  'bad-option': { reason: 'Local', alert: 'none' },
} as const;

export type TlsErrorCode = keyof typeof FAILURES;

/**
 * Why two sides have no signature in common: their lists of schemes share nothing, our own list leaves out what the client
 * would take of our keys, or our keys make nothing that goes with what the client offers.
 */
export type Unfit = 'lists' | 'own list' | 'keys';

/** Each code has a reason and an alert: the compiler sees to it. */
const TABLE: Readonly<Record<TlsErrorCode, Failure>> = FAILURES;

/** Why a connection failed. It is thrown once, alerted once and reported once. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  /** Stable: programs may match on it. */
  readonly code: TlsErrorCode;
  readonly reason: Reason;
  /** The version that a server had chosen when its handshake failed, as on the wire; undefined before, and on a client. */
  version: number | undefined;
  /** The alert that the peer was sent; `none` when none was due. */
  alert: AlertName | 'none';
  /** For `alert-received`: the peer's alert. */
  readonly receivedAlert: string | undefined;
  /**
   * For `ech-rejected`: the ECHConfigList to try again with on a new connection, once; it came from the owner of the public
   * name. Undefined when that server does without Encrypted Client Hello: then it is for the application to decide whether
   * to show the name.
   */
  readonly retryConfigs: Uint8Array | undefined;
  /** For a server's `no-common-signature-scheme`: what it is that does not fit. */
  readonly unfit: Unfit | undefined;

  constructor(
    code: TlsErrorCode,
    message: string,
    details: { cause?: unknown; receivedAlert?: string; retryConfigs?: Uint8Array; unfit?: Unfit } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = TABLE[code].reason;
    this.alert = TABLE[code].alert;
    this.receivedAlert = details.receivedAlert;
    this.retryConfigs = details.retryConfigs;
    this.unfit = details.unfit;
  }

  /** A session whose connection ended with a fatal alert must not be resumed (RFC 5246 §7.2.2, RFC 9846 §6). */
  get endsSession(): boolean {
    return this.code === 'alert-received' || (this.alert !== 'none' && this.alert !== 'user_canceled');
  }
}

/** Turns whatever was thrown while a peer's message was handled into the one error that is reported. */
export function asTlsError(error: unknown, during: string): TlsError {
  if (error instanceof TlsError) return error;
  if (error instanceof DecodeError) {
    return new TlsError('malformed-message', `${during}: malformed: ${error.message}`, { cause: error });
  }
  if (error instanceof CryptoError && error.code === 'bad-key') {
    return new TlsError('bad-key-share', `${during}: ${error.message}`, { cause: error });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new TlsError('internal-error', `${during}: ${text}`, { cause: error });
}

/** Wraps what an owner's event handler threw: it goes back to the owner, and is no failure of the connection. */
export class OwnersError extends Error {}
