import type { Flow } from '../flow.ts';
import type { AfterHandshake } from '../handshake/result.ts';
import type { RawMessage } from '../messages/handshake-type.ts';

/** One side's part in post-handshake authentication (RFC 9846 §4.7.2). */
export interface LaterAuthentication {
  /** Whether a message of this type belongs to it. */
  takes(type: number): boolean;
  /** The first message of a request or of an answer; undefined when nothing follows from it. */
  receive(message: RawMessage, keys: CurrentKeys): Flow<AfterHandshake> | undefined;
  /** Asks for a certificate. Throws `not-connected`. */
  request(required: boolean): void;
}

/** The traffic secrets, which a KeyUpdate may replace at any time: those in use are looked at when they are needed. */
export interface CurrentKeys {
  read(): Uint8Array;
  write(): Uint8Array;
  /** close_notify was sent. */
  writeEnded(): boolean;
}
