import type { ExtensionBlock } from '../extensions/block.ts';
import type { Offer } from '../handshake/offer.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { ServerHello } from '../messages/server-hello.ts';

/** What Encrypted Client Hello changes in a client's handshake, which is that of its inner hello or of its outer one. */
export interface EchHooks {
  /** Puts the extensions of a hello into order before it is written. */
  arrange(hello: ClientHello): void;
  /** The message to send for this hello. */
  wrap(offer: Offer, raw: Uint8Array): Uint8Array;
  /** Looks at the answer to a second hello, which is in the transcript already. */
  checkSecondAnswer(answer: ServerHello, raw: Uint8Array): void;
  /** Looks at what EncryptedExtensions says of ECH. */
  learn(extensions: ExtensionBlock<'encrypted_extensions'>): void;
}
