import { type Codec, empty, type Reader } from '@testudo/codec';
import { type DigitallySigned, digitallySigned } from './digitally-signed.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 5246 §7.4.3: the parameters of a key exchange, and the server's signature over them. */
export interface ServerKeyExchange {
  readonly params: unknown;
  /** The parameters as bytes: what the signature covers, after both randoms. */
  readonly encodedParams: Uint8Array;
  /** Undefined in a key exchange that does not sign. */
  readonly signed: DigitallySigned | undefined;
}

/** How ServerKeyExchange is signed: with the scheme's number, without (before 1.2), or not at all (anonymous, PSK). */
export type Signing = 'named' | 'unnamed' | 'none';

/** ServerKeyExchange of one key exchange. */
export function serverKeyExchange(params: Codec<unknown>, signing: Signing): Message<ServerKeyExchange> {
  const signature = signing === 'none' ? undefined : digitallySigned(signing === 'named');
  return message('server_key_exchange', {
    read(reader: Reader) {
      const start = reader.offset;
      const value = params.read(reader);
      const encodedParams = reader.bytes.subarray(start, reader.offset);
      return { params: value, encodedParams, signed: signature?.read(reader) };
    },
    write(writer, { encodedParams, signed }) {
      writer.bytes(encodedParams);
      if (signature !== undefined) signature.write(writer, signed!);
    },
  });
}

/** ClientKeyExchange of one key exchange (RFC 5246 §7.4.7). */
export function clientKeyExchange<C>(params: Codec<C>): Message<C> {
  return message('client_key_exchange', params);
}

/** RFC 5246 §7.4.5. */
export const serverHelloDone: Message<true> = message('server_hello_done', empty);

/** RFC 5246 §7.4.1.1. */
export const helloRequest: Message<true> = message('hello_request', empty);
