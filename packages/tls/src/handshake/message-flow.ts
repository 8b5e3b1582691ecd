import { TlsError } from '../errors.ts';
import { type Flow, perform } from '../flow.ts';
import {
  decodeMessage,
  encodeMessage,
  HANDSHAKE_HEADER,
  HANDSHAKE_TYPE,
  handshakeTypeName,
  type Message,
  type RawMessage,
} from '../messages/handshake-type.ts';
import type { Handshake } from './context.ts';

/** Sends a message and adds it to the transcript. */
export function send<T>(h: Handshake, definition: Message<T>, value: T): void {
  sendEncoded(h, encodeMessage(definition, value));
}

/** As {@link send}, for a message that is bytes already. */
export function sendEncoded(h: Handshake, raw: Uint8Array): void {
  h.transcript.add(raw);
  h.channel.writeHandshake(raw);
}

/** Waits for this message and adds it to the transcript. Throws `unexpected-message` when another one comes. */
export function* receive<T>(h: Handshake, definition: Message<T>): Flow<T> {
  return (yield* receiveRaw(h, definition)).value;
}

/** As {@link receive}, with the message's bytes, header included. */
export function* receiveRaw<T>(h: Handshake, definition: Message<T>): Flow<{ value: T; raw: Uint8Array }> {
  const received = yield* receiveOnly(h, definition);
  h.transcript.add(received.raw);
  return received;
}

/** As {@link receiveRaw}, without a transcript: which one it belongs to, the message tells. */
export function* receiveOnly<T>(h: Handshake, definition: Message<T>): Flow<{ value: T; raw: Uint8Array }> {
  const received = yield* nextMessage(h);
  h.lookahead = undefined;
  if (received.type !== definition.type) throw unexpected(received.type, definition.name);
  return { value: decodeMessage(definition, received), raw: received.raw };
}

/** Waits for the next message and tells whether it is this one, without taking it. */
export function* nextIs<T>(h: Handshake, definition: Message<T>): Flow<boolean> {
  return (yield* nextMessage(h)).type === definition.type;
}

function* nextMessage(h: Handshake): Flow<RawMessage> {
  for (;;) {
    h.lookahead ??= yield* perform('message', undefined);
    // A HelloRequest in the middle of a handshake is to be ignored (RFC 5246 §7.4.1.1); an empty one only.
    if (h.lookahead.type !== HANDSHAKE_TYPE.hello_request || !passesOver(h)) return h.lookahead;
    h.lookahead = undefined;
  }
}

function passesOver(h: Handshake): boolean {
  if (h.lookahead?.raw.length !== HANDSHAKE_HEADER || h.helloRequestsLeft === 0) return false;
  h.helloRequestsLeft--;
  return true;
}

function unexpected(type: number, wanted: string): TlsError {
  return new TlsError('unexpected-message', `${handshakeTypeName(type)} came where ${wanted} was due`);
}
