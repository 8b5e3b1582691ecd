import { type Codec, decode, fixed, list, opaque, rest, struct, uint8, uint16 } from '@testudo/codec';
import { alpn } from '../extensions/alpn.ts';
import { type RawExtension, rawExtensions } from '../extensions/block.ts';
import {
  ecPointFormats,
  signatureAlgorithms,
  supportedGroups,
  supportedVersions,
} from '../extensions/negotiation.ts';
import { isGrease } from '../grease.ts';
import { HANDSHAKE_HEADER } from '../messages/handshake-type.ts';

/** What fingerprints are made of: the fields of a ClientHello as they were sent, without GREASE. */
export interface HelloFacts {
  readonly legacyVersion: number;
  readonly cipherSuites: readonly number[];
  /** Numbers in wire order. */
  readonly extensions: readonly number[];
  readonly groups: readonly number[];
  readonly pointFormats: readonly number[];
  readonly signatureSchemes: readonly number[];
  /** Undefined without the extension. */
  readonly supportedVersions: readonly number[] | undefined;
  /** The first protocol of ALPN; undefined when there is none. */
  readonly firstProtocol: Uint8Array | undefined;
}

const hello = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(1, 0, 32),
  cipherSuites: list(2, uint16),
  legacyCompressionMethods: list(1, uint8),
  extensions: rest,
});

/**
 * Reads a ClientHello, header included, for what it looks like; what is in the extensions is only looked at where it is
 * needed, so that a hello that breaks a rule has a fingerprint, too. Throws `DecodeError`.
 */
export function helloFacts(message: Uint8Array): HelloFacts {
  const fields = decode(hello, message.subarray(HANDSHAKE_HEADER));
  const extensions = fields.extensions.length === 0 ? [] : rawExtensions(fields.extensions);
  const numbers = (id: number, codec: Codec<number[]>) => withoutGrease(bodyOf(extensions, id, codec) ?? []);
  const versions = bodyOf(extensions, supportedVersions.id, list(1, uint16));
  return {
    legacyVersion: fields.legacyVersion,
    cipherSuites: withoutGrease(fields.cipherSuites),
    extensions: withoutGrease(extensions.map(({ id }) => id)),
    groups: numbers(supportedGroups.id, list(2, uint16)),
    pointFormats: bodyOf(extensions, ecPointFormats.id, list(1, uint8)) ?? [],
    signatureSchemes: numbers(signatureAlgorithms.id, list(2, uint16)),
    supportedVersions: versions === undefined ? undefined : withoutGrease(versions),
    firstProtocol: bodyOf(extensions, alpn.id, list(2, opaque(1)))?.[0],
  };
}

function bodyOf<T>(extensions: readonly RawExtension[], id: number, codec: Codec<T>): T | undefined {
  const found = extensions.find((extension) => extension.id === id);
  return found === undefined ? undefined : decode(codec, found.data);
}

function withoutGrease(values: readonly number[]): number[] {
  return values.filter((value) => !isGrease(value));
}
