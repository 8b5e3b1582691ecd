import { DecodeError, Reader } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';

const RANDOM = 32;
/** A shorter challenge may be refused (RFC 5246 §E.2). */
const SHORTEST_CHALLENGE = 16;

/**
 * Reads a ClientHello in SSL 2.0's form (RFC 5246 §E.2), which clients of around 2000 begin with to be understood by
 * everybody: an option for servers. What it leads to is TLS, or SSL 3.0 where that is on, and never SSL 2.0 (RFC 6176).
 */
export function ssl2Hello(message: Uint8Array): Uint8Array {
  try {
    const reader = new Reader(message);
    reader.uint8();
    const legacyVersion = reader.uint16();
    const [specs, sessionId, challenge] = [reader.uint16(), reader.uint16(), reader.uint16()];
    const cipherSuites = suites(reader.take(specs), reader);
    // SSL 2.0's own: there is no such session.
    reader.take(sessionId);
    if (challenge < SHORTEST_CHALLENGE) throw reader.error('bad-length', 'has a short challenge');
    const random = randomOf(reader.take(challenge));
    reader.expectEnd();
    return encodeMessage(clientHello, {
      legacyVersion,
      random,
      legacySessionId: new Uint8Array(0),
      cipherSuites,
      legacyCompressionMethods: [0],
      extensions: new ExtensionBlock('client_hello'),
    });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new TlsError('malformed-message', `SSL 2.0's client_hello: malformed: ${error.message}`, {
      cause: error,
    });
  }
}

/** Three bytes each; those of SSL 2.0 do not begin with 0. */
function suites(specs: Uint8Array, reader: Reader): number[] {
  const found: number[] = [];
  for (let at = 0; at < specs.length; at += 3)
    if (specs[at] === 0) found.push((specs[at + 1]! << 8) | specs[at + 2]!);
  if (specs.length % 3 !== 0 || found.length === 0) throw reader.error('bad-value', 'names no cipher suites');
  return found;
}

/** Right-justified; of a longer one the last bytes count. */
function randomOf(challenge: Uint8Array): Uint8Array {
  const random = new Uint8Array(RANDOM);
  const used = challenge.subarray(-RANDOM);
  random.set(used, RANDOM - used.length);
  return random;
}
