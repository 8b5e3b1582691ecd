import { TlsError } from '../errors.ts';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage, HANDSHAKE_HEADER } from '../messages/handshake-type.ts';

/** Where the encrypted hello stands in a whole outer ClientHello, in bytes. */
export function payloadPlace(outer: Uint8Array): { readonly at: number; readonly length: number } {
  const { extensions } = decodeMessage(clientHello, { type: clientHello.type, raw: outer });
  const ech = extensions.get(encryptedClientHello);
  if (ech?.type !== 'outer') throw new TlsError('internal-error', 'no encrypted_client_hello to look for');
  // A codec's byte strings are views on what it reads.
  return { at: ech.payload.byteOffset - outer.byteOffset, length: ech.payload.length };
}

/** ClientHelloOuterAAD (RFC 9849 §5.2): the hello without its header, zeros for the payload. */
export function outerAad(outer: Uint8Array): Uint8Array {
  const { at, length } = payloadPlace(outer);
  // Not `slice`, which a Buffer shares its memory with.
  const aad = new Uint8Array(outer.subarray(HANDSHAKE_HEADER));
  return aad.fill(0, at - HANDSHAKE_HEADER, at - HANDSHAKE_HEADER + length);
}
