import { type Codec, fixed, list, opaque, struct, uint8, uint16 } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import { type ExtensionBlock, optionalExtensions } from '../extensions/block.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { SSL30, TLS12, TLS13 } from '../versions.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.2.2. */
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

/**
 * What a hello with supported_versions says of itself in the old place: 0x0303 where TLS 1.3 is among them (RFC 9846
 * §4.2.2), and 0x0300 nowhere (§E.5). More than 0x0303 is borne, as a server has to bear it from anybody (RFC 5246 §E.1).
 * Throws `no-common-version`.
 *
 * @param hellos one, or the outer one and the one in it.
 */
export function checkLegacyVersion(...hellos: readonly ClientHello[]): void {
  for (const hello of hellos) checkLegacyVersionOf(hello);
}

function checkLegacyVersionOf({ extensions, legacyVersion }: ClientHello): void {
  const offered = extensions.get(supportedVersions);
  if (offered === undefined) return;
  if (legacyVersion > SSL30 && (legacyVersion >= TLS12 || !offered.includes(TLS13))) return;
  const found = `0x${legacyVersion.toString(16).padStart(4, '0')}`;
  throw new TlsError('no-common-version', `legacy_version ${found} in a ClientHello with supported_versions`);
}
