import { type Codec, opaque, struct, uint32 } from '@testudo/codec';
import { type ExtensionBlock, extensions } from '../extensions/block.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.7.1. */
export interface NewSessionTicket13 {
  /** Seconds; at most 604,800 (seven days). */
  readonly ticketLifetime: number;
  readonly ticketAgeAdd: number;
  readonly ticketNonce: Uint8Array;
  readonly ticket: Uint8Array;
  readonly extensions: ExtensionBlock<'new_session_ticket'>;
}

const codec13: Codec<NewSessionTicket13> = struct({
  ticketLifetime: uint32,
  ticketAgeAdd: uint32,
  ticketNonce: opaque(1),
  ticket: opaque(2, 1),
  extensions: extensions('new_session_ticket'),
});

export const newSessionTicket13: Message<NewSessionTicket13> = message('new_session_ticket', codec13);

/** RFC 5077 §3.3. */
export interface NewSessionTicket12 {
  /** Seconds; 0 leaves it to the client. */
  readonly ticketLifetimeHint: number;
  readonly ticket: Uint8Array;
}

const codec12: Codec<NewSessionTicket12> = struct({ ticketLifetimeHint: uint32, ticket: opaque(2) });

export const newSessionTicket12: Message<NewSessionTicket12> = message('new_session_ticket', codec12);
