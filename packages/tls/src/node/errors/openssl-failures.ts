import type { AlertName } from '../../alerts.ts';
import type { TlsError, TlsErrorCode } from '../../errors.ts';
import { TLS13 } from '../../versions.ts';
import { ALERT_OF_WRONG_BINDER } from '../as-node/running-node.ts';

/** OpenSSL's words for a failure of the engine, where it has the same; elsewhere the engine's own code makes the words. */
export function opensslReason(error: TlsError): string {
  const { code } = error;
  return ofServer(error)?.reason ?? REASONS[code] ?? code.replaceAll('-', ' ');
}

/** The alert that the OpenSSL which runs sends for it; undefined where that is the engine's. */
export function opensslAlert(error: TlsError): AlertName | undefined {
  return ofServer(error)?.alert;
}

interface Told {
  readonly reason: string;
  readonly alert?: AlertName;
}

/** What a server says of a hello to which it has no answer depends on the version that it has chosen. */
function ofServer({ code, version, unfit }: TlsError): Told | undefined {
  if (unfit === 'lists' || version === undefined) return undefined;
  if (version === TLS13) return OF_SERVERS_13[code];
  return unfit === 'own list' ? NO_SIGNATURE : OF_SERVERS_12[code];
}

const NO_SIGNATURE: Told = { reason: 'no suitable signature algorithm' };
/** Keys and groups decide which suites there are at all. */
const NO_CIPHER: Told = { reason: 'no shared cipher' };

const OF_SERVERS_12: Partial<Record<TlsErrorCode, Told>> = {
  'no-common-group': NO_CIPHER,
  'no-common-finite-field': NO_CIPHER,
  'no-common-signature-scheme': NO_CIPHER,
  'no-certificate': NO_CIPHER,
};

const OF_SERVERS_13: Partial<Record<TlsErrorCode, Told>> = {
  'no-common-signature-scheme': NO_SIGNATURE,
  'no-certificate': NO_SIGNATURE,
  // OpenSSL goes on with its certificate, of which there is none.
  'unknown-psk-identity': { ...NO_SIGNATURE, alert: 'handshake_failure' },
  'bad-binder': { reason: 'binder does not verify', alert: ALERT_OF_WRONG_BINDER },
};

const REASONS: Partial<Record<TlsErrorCode, string>> = {
  'no-version-enabled': 'no protocols available',
  'no-cipher-suite-enabled': 'no ciphers available',
  'no-common-version': 'unsupported protocol',
  'early-data-refused-by-version': 'unsupported protocol',
  'no-common-cipher-suite': 'no shared cipher',
  'no-common-group': 'no suitable key share',
  'no-common-signature-scheme': 'no shared signature algorithms',
  'no-certificate-for-name': 'no suitable signature algorithm',
  'no-common-protocol': 'no application protocol',
  'no-psk': 'psk identity not found',
  'unknown-psk-identity': 'psk identity not found',
  'not-tls': 'wrong version number',
  'bad-record-mac': 'decryption failed or bad record mac',
  'bad-signature': 'bad signature',
  'bad-finished': 'digest check failed',
  'bad-binder': 'binder does not verify',
  'record-overflow': 'packet length too long',
  'bad-record': 'wrong version number',
  'unexpected-message': 'unexpected message',
  'renegotiation-refused': 'no renegotiation',
  'renegotiation-declined': 'no renegotiation',
  'bad-key-share': 'bad key share',
  'inappropriate-fallback': 'inappropriate fallback',
  'unsolicited-extension': 'unsolicited extension',
  'malformed-message': 'decode error',
  'client-certificate-missing': 'peer did not return a certificate',
  'certificate-required': 'peer did not return a certificate',
  'internal-error': 'internal error',
};
