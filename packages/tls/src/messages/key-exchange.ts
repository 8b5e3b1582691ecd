import { type Codec, constant, empty, opaque, struct, uint8, uint16 } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

const NAMED_CURVE = 3;

/** ServerECDHParams (RFC 8422 §5.4): what the server's signature covers, after both randoms. */
export interface ServerEcdhParams {
  readonly namedCurve: number;
  readonly point: Uint8Array;
}

/** RFC 8422 §5.4. */
export interface ServerKeyExchange {
  readonly params: ServerEcdhParams;
  readonly algorithm: number;
  readonly signature: Uint8Array;
}

const paramsFields: Codec<{ curveType: number; namedCurve: number; point: Uint8Array }> = struct({
  curveType: constant(uint8, NAMED_CURVE),
  namedCurve: uint16,
  point: opaque(1, 1),
});

export const serverEcdhParams: Codec<ServerEcdhParams> = {
  read(reader) {
    const { namedCurve, point } = paramsFields.read(reader);
    return { namedCurve, point };
  },
  write: (writer, params) => paramsFields.write(writer, { curveType: NAMED_CURVE, ...params }),
};

const serverCodec: Codec<ServerKeyExchange> = struct({
  params: serverEcdhParams,
  algorithm: uint16,
  signature: opaque(2),
});

export const serverKeyExchange: Message<ServerKeyExchange> = message('server_key_exchange', serverCodec);

/** ClientECDiffieHellmanPublic (RFC 8422 §5.7). */
export interface ClientKeyExchange {
  readonly point: Uint8Array;
}

const clientCodec: Codec<ClientKeyExchange> = struct({ point: opaque(1, 1) });

export const clientKeyExchange: Message<ClientKeyExchange> = message('client_key_exchange', clientCodec);

/** RFC 5246 §7.4.5. */
export const serverHelloDone: Message<true> = message('server_hello_done', empty);

/** RFC 5246 §7.4.1.1. */
export const helloRequest: Message<true> = message('hello_request', empty);
