import type { Handshake } from '../handshake/handshake.ts';
import type { KeySchedule, SecretLabel } from './key-schedule.ts';

/** Labels of the NSS key log (RFC 9850 §2). */
const KEY_LOG_LABELS: Partial<Record<SecretLabel, string>> = {
  'c hs traffic': 'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  's hs traffic': 'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'c ap traffic': 'CLIENT_TRAFFIC_SECRET_0',
  's ap traffic': 'SERVER_TRAFFIC_SECRET_0',
  'exp master': 'EXPORTER_SECRET',
};

/** Derives a secret from the schedule's stage and tells the observer. */
export function deriveSecret(
  h: Handshake,
  schedule: KeySchedule,
  label: SecretLabel,
  transcriptHash: Uint8Array,
  clientRandom: Uint8Array,
): Uint8Array {
  const secret = schedule.derive(label, transcriptHash);
  const logLabel = KEY_LOG_LABELS[label];
  if (logLabel !== undefined) h.observer?.secret?.(logLabel, clientRandom, secret);
  return secret;
}
