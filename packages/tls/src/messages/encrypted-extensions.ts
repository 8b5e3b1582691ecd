import { type Codec, struct } from '@testudo/codec';
import { type ExtensionBlock, extensions } from '../extensions/block.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.3.1. */
export interface EncryptedExtensions {
  readonly extensions: ExtensionBlock<'encrypted_extensions'>;
}

const codec: Codec<EncryptedExtensions> = struct({ extensions: extensions('encrypted_extensions') });

export const encryptedExtensions: Message<EncryptedExtensions> = message('encrypted_extensions', codec);
