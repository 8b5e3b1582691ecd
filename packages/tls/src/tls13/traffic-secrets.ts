import type { Handshake } from '../handshake/context.ts';
import type { KeySchedule, SecretLabel } from './key-schedule.ts';

/** Labels of the NSS key log (RFC 9850 §2). */
const KEY_LOG_LABELS: Partial<Record<SecretLabel, string>> = {
  'c e traffic': 'CLIENT_EARLY_TRAFFIC_SECRET',
  'e exp master': 'EARLY_EXPORTER_SECRET',
  'c hs traffic': 'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  's hs traffic': 'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'c ap traffic': 'CLIENT_TRAFFIC_SECRET_0',
  's ap traffic': 'SERVER_TRAFFIC_SECRET_0',
  'exp master': 'EXPORTER_SECRET',
};

/** The secrets of early data, from the hash of the ClientHello that offers it (RFC 9846 §7.1). */
export function earlySecrets(
  h: Handshake,
  schedule: KeySchedule,
  hash: Uint8Array,
  clientRandom: Uint8Array,
): { client: Uint8Array; exporter: Uint8Array } {
  return {
    client: deriveSecret(h, schedule, 'c e traffic', hash, clientRandom),
    exporter: deriveSecret(h, schedule, 'e exp master', hash, clientRandom),
  };
}

/** The handshake traffic secrets, from the transcript up to ServerHello (RFC 9846 §7.1). */
export function handshakeSecrets(
  h: Handshake,
  schedule: KeySchedule,
  clientRandom: Uint8Array,
): { client: Uint8Array; server: Uint8Array } {
  const hash = h.transcript.digest();
  return {
    client: deriveSecret(h, schedule, 'c hs traffic', hash, clientRandom),
    server: deriveSecret(h, schedule, 's hs traffic', hash, clientRandom),
  };
}

export interface ApplicationSecrets {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
  readonly exporter: Uint8Array;
}

/** The application traffic secrets and the exporter's, from the transcript up to the server's Finished (RFC 9846 §7.1). */
export function applicationSecrets(
  h: Handshake,
  schedule: KeySchedule,
  clientRandom: Uint8Array,
): ApplicationSecrets {
  const hash = h.transcript.digest();
  return {
    client: deriveSecret(h, schedule, 'c ap traffic', hash, clientRandom),
    server: deriveSecret(h, schedule, 's ap traffic', hash, clientRandom),
    exporter: deriveSecret(h, schedule, 'exp master', hash, clientRandom),
  };
}

/** Derives a secret from the schedule's stage and tells the observer. */
function deriveSecret(
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
