import { type Codec, struct } from '@testudo/codec';
import { type ExtensionBlock, extensions } from '../extensions/block.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.4.1. */
export interface EncryptedExtensions {
  readonly extensions: ExtensionBlock<'encrypted_extensions'>;
}

const codec: Codec<EncryptedExtensions> = struct({ extensions: extensions('encrypted_extensions') });

export const encryptedExtensions: Message<EncryptedExtensions> = message('encrypted_extensions', codec);

/** A client's answer to extensions that want one (draft-vvv-tls-alps-01 §4.1): the same message the other way. */
export interface ClientEncryptedExtensions {
  readonly extensions: ExtensionBlock<'client_encrypted_extensions'>;
}

const clientCodec: Codec<ClientEncryptedExtensions> = struct({
  extensions: extensions('client_encrypted_extensions'),
});

export const clientEncryptedExtensions: Message<ClientEncryptedExtensions> = message(
  'encrypted_extensions',
  clientCodec,
);
