import {
  bytesEqual,
  type Codec,
  fixed,
  fromHex,
  opaque,
  type Reader,
  readField,
  uint8,
  uint16,
} from '@testudo/codec';
import {
  ExtensionBlock as Block,
  type ExtensionBlock,
  optionalExtensions,
  readExtensions,
} from '../extensions/block.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { type Message, message } from './handshake-type.ts';

type ServerHelloPlace = 'server_hello' | 'server_hello_12' | 'hello_retry_request';

/** RFC 9846 §4.2.3. What it is (a 1.3 hello, an older one, a retry) stands in `extensions.place`. */
export interface ServerHello<P extends ServerHelloPlace = ServerHelloPlace> {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly legacySessionIdEcho: Uint8Array;
  readonly cipherSuite: number;
  readonly legacyCompressionMethod: number;
  readonly extensions: ExtensionBlock<P>;
}

/** SHA-256 of "HelloRetryRequest" as the random makes a ServerHello a retry (RFC 9846 §4.2.3). */
export const RETRY_RANDOM: Uint8Array = fromHex(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
);

/** The last eight bytes of a random with which a 1.3 server marks that it spoke 1.2, or older (RFC 9846 §4.2.3). */
export const DOWNGRADE_TLS12: Uint8Array = fromHex('444f574e47524401');
export const DOWNGRADE_TLS11: Uint8Array = fromHex('444f574e47524400');
/** What stands there instead where TLS 1.3 is kept from Java 11: it would refuse the others. BoringSSL began with it. */
export const DOWNGRADE_JAVA11: Uint8Array = fromHex('edbfb4a8c24710ff');

const random = fixed(32);
const sessionId = opaque(1, 0, 32);

const codec: Codec<ServerHello> = {
  read(reader) {
    const legacyVersion = readField(reader, 'legacyVersion', uint16);
    const helloRandom = readField(reader, 'random', random);
    const legacySessionIdEcho = readField(reader, 'legacySessionIdEcho', sessionId);
    const cipherSuite = readField(reader, 'cipherSuite', uint16);
    const legacyCompressionMethod = readField(reader, 'legacyCompressionMethod', uint8);
    const place = placeOf(helloRandom, reader);
    const extensions = readField<ExtensionBlock<ServerHelloPlace>>(reader, 'extensions', {
      read: () => (reader.remaining === 0 ? new Block(place) : readExtensions(reader, place)),
      write: () => {},
    });
    return {
      legacyVersion,
      random: helloRandom,
      legacySessionIdEcho,
      cipherSuite,
      legacyCompressionMethod,
      extensions,
    };
  },
  write(writer, hello) {
    uint16.write(writer, hello.legacyVersion);
    random.write(writer, hello.random);
    sessionId.write(writer, hello.legacySessionIdEcho);
    uint16.write(writer, hello.cipherSuite);
    uint8.write(writer, hello.legacyCompressionMethod);
    optionalExtensions<ServerHelloPlace>(hello.extensions.place).write(writer, hello.extensions);
  },
};

export const serverHello: Message<ServerHello> = message('server_hello', codec);

/** Looks ahead for supported_versions, without which a hello is TLS 1.2's or older. */
function placeOf(helloRandom: Uint8Array, reader: Reader): ServerHelloPlace {
  if (bytesEqual(helloRandom, RETRY_RANDOM)) return 'hello_retry_request';
  const end = reader.offset + reader.remaining;
  const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset, end);
  for (let at = reader.offset + 2; at + 4 <= end; at += 4 + view.getUint16(at + 2)) {
    if (view.getUint16(at) === supportedVersions.id) return 'server_hello';
  }
  return 'server_hello_12';
}
