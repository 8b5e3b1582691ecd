/** HeartbeatMessageType (RFC 6520 §3). */
export const HEARTBEAT_REQUEST = 1;
export const HEARTBEAT_RESPONSE = 2;

/** Bytes before the payload: the type, and the payload's length. */
const HEADER = 3;
/** The least padding (RFC 6520 §4). */
export const MIN_PADDING = 16;

/** Bytes of a message around its payload, at least. */
export const HEARTBEAT_OVERHEAD: number = HEADER + MIN_PADDING;

export interface HeartbeatMessage {
  readonly type: number;
  /** A view on the record. */
  readonly payload: Uint8Array;
}

/**
 * HeartbeatMessage (RFC 6520 §4). Undefined for one that is to be discarded silently: the payload and its padding must
 * lie within the record, whatever the length in it says. That is the check whose absence was Heartbleed.
 */
export function readHeartbeat(record: Uint8Array): HeartbeatMessage | undefined {
  if (record.length < HEARTBEAT_OVERHEAD) return undefined;
  const type = record[0]!;
  if (type !== HEARTBEAT_REQUEST && type !== HEARTBEAT_RESPONSE) return undefined;
  const length = (record[1]! << 8) | record[2]!;
  if (length > record.length - HEARTBEAT_OVERHEAD) return undefined;
  return { type, payload: record.subarray(HEADER, HEADER + length) };
}

/** A message with a copy of the payload. `padding` is random, and at least {@link MIN_PADDING} bytes. */
export function writeHeartbeat(type: number, payload: Uint8Array, padding: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER + payload.length + padding.length);
  message[0] = type;
  message[1] = payload.length >> 8;
  message[2] = payload.length;
  message.set(payload, HEADER);
  message.set(padding, HEADER + payload.length);
  return message;
}
