/** ContentType (RFC 9846 §5.1). */
export const CHANGE_CIPHER_SPEC = 20;
export const ALERT = 21;
export const HANDSHAKE = 22;
export const APPLICATION_DATA = 23;
/** RFC 6520 §6. */
export const HEARTBEAT = 24;
/** Not a ContentType: stands for a ClientHello in SSL 2.0's form, whose first byte has this bit. */
export const SSL2_HELLO = 0x80;

const NAMES: Readonly<Record<number, string>> = {
  [CHANGE_CIPHER_SPEC]: 'change_cipher_spec',
  [ALERT]: 'alert',
  [HANDSHAKE]: 'handshake',
  [APPLICATION_DATA]: 'application_data',
  [HEARTBEAT]: 'heartbeat',
  [SSL2_HELLO]: 'ssl2_client_hello',
};

/** `handshake` for 22; `unknown(n)` for a type that is not known. */
export function contentTypeName(type: number): string {
  return NAMES[type] ?? `unknown(${type})`;
}

/** Length of a record's header: type, version, length. */
export const RECORD_HEADER = 5;
/** The most plaintext a record may carry: 2^14 bytes (RFC 9846 §5.1). */
export const MAX_PLAINTEXT = 16_384;
