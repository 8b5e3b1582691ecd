/** What differs from one Node to the next: errors are those of the Node that runs. */

/** Of `process.versions.node`: 20, 22, … */
export const NODE_MAJOR: number = Number.parseInt(process.versions.node, 10);

/** OpenSSL 3.2 and newer gives AES-CCM with a tag of 8 bytes 64 bits of strength: too few for any security level but 0. */
export const COUNTS_SHORT_TAGS: boolean = isAtLeast(process.versions['openssl'] ?? '', 3, 2);

/** OpenSSL 3.5 takes an empty list of groups, for its default. */
export const TAKES_NO_CURVES: boolean = isAtLeast(process.versions['openssl'] ?? '', 3, 5);

/** Before Node 24 `tls.connect` did not pass `keepAliveInitialDelay` on, whatever it was. */
export const IGNORES_KEEP_ALIVE_DELAY: boolean = NODE_MAJOR < 24;

/** OpenSSL 3.2 gave the alerts that are as old as SSL 3.0 another name. */
export const ALERTS_OF_SSL3: string = isAtLeast(process.versions['openssl'] ?? '', 3, 2)
  ? 'ssl/tls'
  : 'sslv3';

/** OpenSSL 3.4 was the first to send decrypt_error where the binder of a shared key is wrong (RFC 9846 §6.2). */
export const ALERT_OF_WRONG_BINDER: 'decrypt_error' | 'illegal_parameter' = isAtLeast(
  process.versions['openssl'] ?? '',
  3,
  4,
)
  ? 'decrypt_error'
  : 'illegal_parameter';

/** Node 24 and newer say this with the errors for which an administrator's root may be the remedy. */
export const SYSTEM_CA_HINT: string =
  NODE_MAJOR >= 24 ? '; if the root CA is installed locally, try running Node.js with --use-system-ca' : '';

/** Node 26 reads every list of a text in `crl`, older ones only the first, whatever is behind it. */
export const READS_ALL_CRLS: boolean = NODE_MAJOR >= 26;

/** OpenSSL's security level where `ciphers` does not name one: Node 24 was the first to be built with 2. */
export const DEFAULT_SECURITY_LEVEL: 1 | 2 = NODE_MAJOR >= 24 ? 2 : 1;

/** Before Node 24 it had a letter less. */
export const PSK_HINT_FAILED: string =
  NODE_MAJOR >= 24 ? 'ERR_TLS_PSK_SET_IDENTITY_HINT_FAILED' : 'ERR_TLS_PSK_SET_IDENTIY_HINT_FAILED';

/** OpenSSL 3.2 to 3.5.8 looks at the length of a record before it asks whether it is one. */
export const CHECKS_LENGTH_FIRST: boolean =
  isAtLeast(process.versions['openssl'] ?? '', 3, 2) &&
  !isAtLeast(process.versions['openssl'] ?? '', 3, 5, 9);

/**
 * Up to 3.5.5 (seen) a certificate of one's own must be signed with a hash that the security level takes; from 3.5.9 on
 * only its key counts. Peers are held to both by all of them.
 */
export const CHECKS_OWN_SIGNATURES: boolean = !isAtLeast(process.versions['openssl'] ?? '', 3, 5, 9);

function isAtLeast(version: string, major: number, minor: number, patch = 0): boolean {
  const [a = 0, b = 0, c = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && (b > minor || (b === minor && c >= patch)));
}
