import { TlsError } from '@testudo/tls';
import { systemReason } from '../failure.ts';
import { shown } from '../output/text.ts';

export interface TlsFailure {
  readonly level: 'debug' | 'info' | 'warn';
  /** For the log: no secrets, and what a peer wrote is cut and made safe to show. */
  readonly details: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What to log about a connection that failed, and how loudly: scanners and port checks are everyday noise. */
export function describeTlsFailure(error: unknown): TlsFailure {
  const tls = tlsErrorIn(error);
  if (tls === undefined) {
    const code = (error as NodeJS.ErrnoException)?.code;
    const details = { ...(code === undefined ? {} : { code }), reason: shown(systemReason(error)) };
    return { level: 'debug', details, text: 'a connection ended before its handshake was complete' };
  }
  const details = { code: tls.code, reason: shown(tls.message) };
  if (tls.receivedAlert !== undefined && TRUST_ALERTS.has(tls.receivedAlert)) {
    return {
      level: 'warn',
      details,
      text: 'a client does not trust our certificate: it needs the CA\u2019s certificate',
    };
  }
  if (tls.code === 'handshake-timeout') return { level: 'info', details, text: 'a client was too slow' };
  switch (tls.reason) {
    case 'CertificateRejected':
      return { level: 'warn', details, text: 'a client\u2019s certificate was refused' };
    case 'Local':
      return { level: 'warn', details, text: 'a handshake failed on our side' };
    case 'Truncated':
      return { level: 'debug', details, text: 'a client went away' };
    default:
      return { level: 'info', details, text: 'a handshake failed' };
  }
}

const TRUST_ALERTS: ReadonlySet<string> = new Set([
  'unknown_ca',
  'bad_certificate',
  'certificate_unknown',
  'certificate_expired',
]);

/** The engine's error, which the socket's one may carry as its cause. */
export function tlsErrorIn(error: unknown): TlsError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof TlsError) return at;
  }
  return undefined;
}
