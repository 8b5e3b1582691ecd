import { bytesEqual } from '@testudo/codec';
import type { OwnSettings } from '../config/config.ts';
import { TlsError } from '../errors.ts';
import {
  type ApplicationSettingsExtension,
  applicationSettings,
  applicationSettingsOld,
} from '../extensions/application-settings.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import type { Flow } from '../flow.ts';
import type { ClientHandshake, ServerHandshake } from '../handshake/context.ts';
import { receive, send } from '../handshake/message-flow.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import { clientEncryptedExtensions } from '../messages/encrypted-extensions.ts';
import type { ApplicationSettingsOptions } from '../options/features.ts';
import type { Session } from '../sessions/session.ts';

/** The settings that a connection exchanges, and how. */
export interface ChosenSettings {
  readonly extension: ApplicationSettingsExtension;
  readonly own: Uint8Array;
}

const LONGEST = 16_384;
const EXTENSIONS = [applicationSettings, applicationSettingsOld];

/** Undefined when there are none. Throws `bad-option`. */
export function ownSettings(options: ApplicationSettingsOptions): OwnSettings | undefined {
  if (options.applicationSettings === undefined) return undefined;
  const byProtocol = new Map(Object.entries(options.applicationSettings));
  for (const [protocol, { length }] of byProtocol) {
    if (length <= LONGEST) continue;
    const name = JSON.stringify(protocol);
    throw new TlsError(
      'bad-option',
      `the settings for ${name} are ${length} bytes long, more than ${LONGEST}`,
    );
  }
  const extensions = (options.applicationSettingsCodePoints ?? [applicationSettings.id]).map((id) => {
    const extension = EXTENSIONS.find((each) => each.id === id);
    if (extension === undefined)
      throw new TlsError('bad-option', `application settings use the number 17613 or 17513, not ${id}`);
    return extension;
  });
  return { byProtocol, extensions };
}

/**
 * Whether a session's settings are what this side would send now: else it has no early data
 * (draft-vvv-tls-alps-01 §4.2).
 */
export function agreesWithSettings(session: Session, own: Uint8Array | undefined): boolean {
  const sent = session.applicationSettings?.sent;
  return sent === undefined || own === undefined ? sent === own : bytesEqual(sent, own);
}

// A client -------------------------------------------------------------------------------------------------------

/** Names the protocols for which there are settings. */
export function offerSettings({ config }: ClientHandshake, block: ExtensionBlock<'client_hello'>): void {
  const { settings } = config.features;
  if (settings === undefined) return;
  const protocols = config.alpnProtocols.filter((each) => settings.byProtocol.has(each));
  if (protocols.length === 0) return;
  for (const extension of settings.extensions) block.set(extension, protocols);
}

/** A PSK without settings goes with any; what the server makes of it is for the server (draft-vvv-tls-alps-01 §4.2). */
export function mayResumeEarly({ config }: ClientHandshake, session: Session): boolean {
  if (session.applicationSettings === undefined) return true;
  return agreesWithSettings(session, config.features.settings?.byProtocol.get(session.alpnProtocol));
}

/**
 * What the server says. With early data the session's settings hold, and the server must not say anything; `early` is that
 * session. Throws `illegal-parameter`.
 */
export function learnSettings(
  h: ClientHandshake,
  answer: ExtensionBlock<'encrypted_extensions'>,
  protocol: string | undefined,
  early: Session | undefined,
): ChosenSettings | undefined {
  if (early?.applicationSettings !== undefined)
    negotiatedOf(h).applicationSettings = early.applicationSettings;
  // Without settings of our own they were not asked for, and cannot be here.
  const { settings } = h.config.features;
  if (settings === undefined) return undefined;
  const [extension, another] = settings.extensions.filter((each) => answer.has(each));
  if (extension === undefined) return undefined;
  const own = protocol === undefined ? undefined : settings.byProtocol.get(protocol);
  if (own === undefined)
    throw new TlsError(
      'illegal-parameter',
      'the server sent settings for a protocol that has none, or without a protocol',
    );
  if (another !== undefined)
    throw new TlsError('illegal-parameter', 'the server answers application settings under both numbers');
  if (early !== undefined)
    throw new TlsError('illegal-parameter', 'the server accepted early data, but sent new settings');
  negotiatedOf(h).applicationSettings = { sent: own, received: answer.get(extension)!.slice() };
  return { extension, own };
}

/**
 * The client's own EncryptedExtensions, between the server's Finished and what the client shows of itself
 * (draft-vvv-tls-alps-01 §4.1).
 */
export function sendSettings(h: ClientHandshake, { extension, own }: ChosenSettings): void {
  const extensions = new ExtensionBlock('client_encrypted_extensions').set(extension, own);
  send(h, clientEncryptedExtensions, { extensions });
}

// A server -------------------------------------------------------------------------------------------------------

/** The settings for the protocol that was agreed on, where client and server both have some. */
export function chooseSettings(
  { config }: ServerHandshake,
  asked: ExtensionBlock<'client_hello'>,
  protocol: string | undefined,
): ChosenSettings | undefined {
  const { settings } = config.features;
  const own = protocol === undefined ? undefined : settings?.byProtocol.get(protocol);
  if (settings === undefined || own === undefined) return undefined;
  const extension = settings.extensions.find((each) => asked.get(each)?.includes(protocol!));
  return extension && { extension, own };
}

/** Takes the client's EncryptedExtensions, which hold its settings and nothing else (draft-vvv-tls-alps-01 §4.1). */
export function* receiveSettings(h: ServerHandshake, { extension, own }: ChosenSettings): Flow<void> {
  const { extensions } = yield* receive(h, clientEncryptedExtensions);
  extensions.expectSolicited({ ids: [extension.id] });
  const received = extensions.get(extension);
  if (received === undefined)
    throw new TlsError('missing-extension', "the client's EncryptedExtensions hold no application settings");
  negotiatedOf(h).applicationSettings = { sent: own, received: received.slice() };
}
