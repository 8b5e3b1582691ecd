import { type Codec, rest } from '@testudo/codec';
import { protocolNames } from './alpn.ts';
import type { Extension } from './extension.ts';

/** The numbers under which application_settings is in use; IANA has given none. */
export type ApplicationSettingsCodePoint = 17_613 | 17_513;

export type ApplicationSettingsExtension = Extension<{
  client_hello: string[];
  encrypted_extensions: Uint8Array;
  client_encrypted_extensions: Uint8Array;
}>;

const settings: Codec<Uint8Array> = rest;

function extension(id: ApplicationSettingsCodePoint, name: string): ApplicationSettingsExtension {
  return {
    id,
    name,
    source: 'draft-vvv-tls-alps-01 §4',
    isDraft: true,
    codecs: {
      client_hello: protocolNames,
      encrypted_extensions: settings,
      client_encrypted_extensions: settings,
    },
  };
}

/** application_settings (ALPS): the protocols for which there are some, then each side's, whose form is the protocol's. */
export const applicationSettings: ApplicationSettingsExtension = extension(17_613, 'application_settings');

/** The same under the number of its first trial, which Chromium used until 2025. */
export const applicationSettingsOld: ApplicationSettingsExtension = extension(
  17_513,
  'application_settings_old',
);
