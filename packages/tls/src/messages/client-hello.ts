import { type Codec, fixed, list, opaque, struct, uint8, uint16 } from '@testudo/codec';
import { type ExtensionBlock, optionalExtensions } from '../extensions/block.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.1.2. */
export interface ClientHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly legacySessionId: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly legacyCompressionMethods: readonly number[];
  readonly extensions: ExtensionBlock<'client_hello'>;
}

const codec: Codec<ClientHello> = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(1, 0, 32),
  cipherSuites: list(2, uint16, 2),
  legacyCompressionMethods: list(1, uint8, 1),
  extensions: optionalExtensions('client_hello'),
}) as Codec<ClientHello>;

export const clientHello: Message<ClientHello> = message('client_hello', codec);
