import { type Codec, decode, encode, fixed, list, opaque, rest, struct, uint16 } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import type { RawExtension } from '../extensions/block.ts';
import { echOuterExtensions, encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { serverName } from '../extensions/server-names.ts';
import { clientHello } from '../messages/client-hello.ts';
import { HANDSHAKE_HEADER } from '../messages/handshake-type.ts';

/**
 * EncodedClientHelloInner (RFC 9849 §5.1) of a whole inner ClientHello: without session ID, without the extensions that
 * the outer hello repeats, which stand next to each other, and padded so that its length tells little (§6.1.3).
 */
export function encodeInner(
  inner: Uint8Array,
  repeated: ReadonlySet<number>,
  maximumNameLength: number,
): Uint8Array {
  const hello = decode(rawHello, inner.subarray(HANDSHAKE_HEADER));
  const left = hello.extensions.filter(({ id }) => repeated.has(id)).map(({ id }) => id);
  const at = hello.extensions.findIndex(({ id }) => repeated.has(id));
  const extensions = hello.extensions.filter(({ id }) => !repeated.has(id));
  if (left.length > 0)
    extensions.splice(at, 0, { id: echOuterExtensions.id, data: encode(outerExtensions, left) });
  const encoded = encode(rawHello, { ...hello, legacySessionId: NOTHING, extensions });
  const padded = new Uint8Array(encoded.length + paddingFor(encoded.length, hello, maximumNameLength));
  padded.set(encoded);
  return padded;
}

/**
 * The other way (RFC 9849 §5.1): the whole inner ClientHello, of the form its sender has in its transcript. Takes time in
 * proportion to the two hellos, and the result is no longer than both. Throws `illegal-parameter`, or `DecodeError`.
 */
export function decodeInner(encoded: Uint8Array, outer: Uint8Array): Uint8Array {
  const { hello, padding } = decode(encodedInner, encoded);
  if (padding.some((byte) => byte !== 0)) throw illegal('padding that is not zero');
  if (hello.legacySessionId.length > 0) throw illegal('a session ID of its own');
  const outerHello = decode(rawHello, outer.subarray(HANDSHAKE_HEADER));
  const extensions = hello.extensions.flatMap((extension, at) => {
    if (extension.id !== echOuterExtensions.id) return [extension];
    if (hello.extensions.findIndex(({ id }) => id === extension.id) !== at)
      throw illegal('ech_outer_extensions twice');
    return referenced(decode(outerExtensions, extension.data), outerHello.extensions);
  });
  const length = extensions.reduce((sum, { data }) => sum + 4 + data.length, 0);
  if (length > 0xffff) throw illegal('more extensions than a ClientHello can hold');
  const body = encode(rawHello, { ...hello, legacySessionId: outerHello.legacySessionId, extensions });
  const message = new Uint8Array(HANDSHAKE_HEADER + body.length);
  message.set([clientHello.type, body.length >> 16, body.length >> 8, body.length]);
  message.set(body, HANDSHAKE_HEADER);
  return message;
}

/** RFC 9849 §A: one walk through the outer extensions finds all that are named, each once and in order. */
function referenced(ids: readonly number[], outer: readonly RawExtension[]): RawExtension[] {
  let at = 0;
  return ids.map((id) => {
    if (id === encryptedClientHello.id || id === echOuterExtensions.id)
      throw illegal(`a reference to extension ${id}`);
    while (at < outer.length && outer[at]!.id !== id) at++;
    const found = outer[at++];
    if (found === undefined)
      throw illegal(`extension ${id}, which the outer hello lacks, or has in another place`);
    return found;
  });
}

/** First the name up to the longest one, then the whole up to a multiple of 32 bytes (RFC 9849 §6.1.3). */
function paddingFor(length: number, hello: RawHello, maximumNameLength: number): number {
  const name = hello.extensions.find(({ id }) => id === serverName.id);
  const forName =
    name === undefined
      ? maximumNameLength + NAME_HEADERS
      : Math.max(0, maximumNameLength - (name.data.length - NAME_LIST_HEADERS));
  return forName + 31 - ((length + forName - 1) % 32);
}

/** Of the list and of the name in it; with those of the extension itself. */
const NAME_LIST_HEADERS = 5;
const NAME_HEADERS = 9;

const NOTHING = new Uint8Array(0);

interface RawHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly legacySessionId: Uint8Array;
  readonly cipherSuites: Uint8Array;
  readonly legacyCompressionMethods: Uint8Array;
  readonly extensions: RawExtension[];
}

/** A ClientHello whose extensions are bytes. */
const rawHello: Codec<RawHello> = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(1, 0, 32),
  cipherSuites: opaque(2, 2),
  legacyCompressionMethods: opaque(1, 1),
  extensions: list(2, struct({ id: uint16, data: opaque(2) })),
}) as Codec<RawHello>;

/** @internal */
export const encodedInner: Codec<{ hello: RawHello; padding: Uint8Array }> = struct({
  hello: rawHello,
  padding: rest,
});

const outerExtensions = list(1, uint16, 2, 254);

function illegal(what: string): TlsError {
  return new TlsError('illegal-parameter', `the encrypted ClientHello holds ${what} (RFC 9849 §5.1)`);
}
