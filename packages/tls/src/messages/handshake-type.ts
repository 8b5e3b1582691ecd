import { type Codec, decode, type Tracer, Writer } from '@testudo/codec';

/** HandshakeType (RFC 9846 §4, RFC 5246 §7.4). */
export const HANDSHAKE_TYPE = {
  hello_request: 0,
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  server_key_exchange: 12,
  certificate_request: 13,
  server_hello_done: 14,
  certificate_verify: 15,
  client_key_exchange: 16,
  finished: 20,
  certificate_url: 21,
  certificate_status: 22,
  key_update: 24,
  compressed_certificate: 25,
  /** draft-agl-tls-nextprotoneg-04; never assigned. */
  next_protocol: 67,
  message_hash: 254,
} as const;

export type HandshakeTypeName = keyof typeof HANDSHAKE_TYPE;

const NAMES = new Map<number, string>(Object.entries(HANDSHAKE_TYPE).map(([name, type]) => [type, name]));

/** `client_hello` for 1; `unknown(n)` for a type that is not known. */
export function handshakeTypeName(type: number): string {
  return NAMES.get(type) ?? `unknown(${type})`;
}

/** One handshake message: its type and the codec of its body. */
export interface Message<T> {
  readonly type: number;
  readonly name: HandshakeTypeName;
  readonly codec: Codec<T>;
}

export function message<T>(name: HandshakeTypeName, codec: Codec<T>): Message<T> {
  return { type: HANDSHAKE_TYPE[name], name, codec };
}

/** A message as it came: `raw` is the whole of it, header included, as the transcript wants it. */
export interface RawMessage {
  readonly type: number;
  readonly raw: Uint8Array;
}

/** Length of the handshake header: type and 24-bit length. */
export const HANDSHAKE_HEADER = 4;

/** The whole message, header included. */
export function encodeMessage<T>(definition: Message<T>, value: T): Uint8Array {
  const writer = new Writer();
  writer.uint8(definition.type);
  writer.scope(3, () => definition.codec.write(writer, value));
  return writer.finish();
}

/** The body of a raw message. Throws `DecodeError`. */
export function decodeMessage<T>(definition: Message<T>, received: RawMessage, tracer?: Tracer): T {
  return decode(definition.codec, received.raw.subarray(HANDSHAKE_HEADER), tracer);
}
