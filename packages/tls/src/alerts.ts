/** AlertLevel (RFC 9846 §6). */
export const ALERT_LEVELS = { warning: 1, fatal: 2 } as const;

/** AlertDescription (RFC 9846 §6, and RFC 5246 §7.2 for the ones that only older versions use). */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  decryption_failed: 21,
  record_overflow: 22,
  decompression_failure: 30,
  handshake_failure: 40,
  no_certificate: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  export_restriction: 60,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  certificate_unobtainable: 111,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  bad_certificate_hash_value: 114,
  unknown_psk_identity: 115,
  certificate_required: 116,
  general_error: 117,
  no_application_protocol: 120,
  ech_required: 121,
} as const;

export type AlertName = keyof typeof ALERTS;

const NAMES = new Map<number, AlertName>(
  (Object.entries(ALERTS) as [AlertName, number][]).map(([name, code]) => [code, name]),
);

/** What SSL 3.0 can say (RFC 6101 §5.4.2) instead of an alert that came with TLS. */
export function ssl30Alert(name: AlertName): AlertName {
  if (SSL30_ALERTS.has(name)) return name;
  return name === 'unknown_ca' ? 'bad_certificate' : 'handshake_failure';
}

/** Those that came before TLS. */
export const SSL30_ALERTS: ReadonlySet<string> = new Set<AlertName>([
  'close_notify',
  'unexpected_message',
  'bad_record_mac',
  'decompression_failure',
  'handshake_failure',
  'no_certificate',
  'bad_certificate',
  'unsupported_certificate',
  'certificate_revoked',
  'certificate_expired',
  'certificate_unknown',
  'illegal_parameter',
]);

/** The name of an alert code, or `unknown_alert(n)`. */
export function alertName(code: number): string {
  return NAMES.get(code) ?? `unknown_alert(${code})`;
}
