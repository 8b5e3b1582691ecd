import { toBase64 } from '@testudo/codec';
import type { TlsError } from '@testudo/tls';
import { EXIT, type ExitCode } from '../failure.ts';
import { shown } from '../output/text.ts';

/** One line about a failed connection: what happened, and what to do. */
export function failureText(error: TlsError): string {
  const what = shown(error.message, 600);
  if (error.retryConfigs !== undefined) return `${what}: --ech ${toBase64(error.retryConfigs)}`;
  const advice = error.receivedAlert === undefined ? ADVICE[error.code] : ALERT_ADVICE[error.receivedAlert];
  return advice === undefined ? what : `${what}: ${advice}`;
}

/** 1 when we refused the certificate, else 4. */
export function exitCodeOf(error: TlsError): ExitCode {
  return error.reason === 'CertificateRejected' ? EXIT.refused : EXIT.protocol;
}

const ADVICE: Readonly<Record<string, string>> = {
  'not-tls': 'this is not TLS; does the port speak another protocol, or plaintext first (STARTTLS)?',
  'ech-rejected': 'without --ech it can be reached, but then everyone sees the name',
  'handshake-timeout': 'does this port speak TLS? --timeout waits longer',
  'early-data-refused-by-version': 'try it without --early-data',
  'no-common-version': 'try other versions with --min and --max',
};

/** What an alert means for the one who connects (RFC 9846 §6.2). */
const ALERT_ADVICE: Readonly<Record<string, string>> = {
  handshake_failure:
    'the server found nothing in common with what we offered, or it wants a client certificate; try --ciphers, --groups, --max or --cert',
  protocol_version: 'the server does not speak the versions we offered; try --min and --max',
  unrecognized_name: 'the server has no certificate for this name; try --servername',
  no_application_protocol: 'the server speaks none of the protocols offered with --alpn',
  certificate_required: 'the server wants a client certificate: give --cert and --key',
  bad_certificate: 'the server does not accept our client certificate',
  unknown_ca: 'the server does not know the CA of our client certificate',
  certificate_expired: 'our client certificate has expired',
  certificate_unknown: 'the server does not accept our client certificate',
  unsupported_certificate: 'the server does not accept this kind of client certificate',
  access_denied: 'the server does not allow this client',
  internal_error: 'something went wrong on the server',
};
