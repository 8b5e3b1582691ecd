import { type Codec, decode, fixed, opaque, type Reader, readField, uint8, uint16 } from '@testudo/codec';
import { ECH_VERSION, echConfigList } from '../ech/config-list.ts';
import { TlsError } from '../errors.ts';
import type { Extension } from './extension.ts';

/** ECHClientHello (RFC 9849 §5). */
export type EchClientHello = OuterEch | { readonly type: 'inner' };

/** The envelope: which key it is for, and what is encrypted to it. */
export interface OuterEch {
  readonly type: 'outer';
  readonly kdf: number;
  readonly aead: number;
  readonly configId: number;
  /** HPKE's encapsulated key; empty in the second hello. */
  readonly enc: Uint8Array;
  readonly payload: Uint8Array;
}

/** encrypted_client_hello: the server confirms in a HelloRetryRequest, or sends an ECHConfigList to try again with. */
export const encryptedClientHello: Extension<{
  client_hello: EchClientHello;
  hello_retry_request: Uint8Array;
  encrypted_extensions: Uint8Array;
}> = {
  id: ECH_VERSION,
  name: 'encrypted_client_hello',
  source: 'RFC 9849 §5',
  codecs: {
    client_hello: echClientHello(),
    hello_retry_request: fixed(8),
    encrypted_extensions: retryConfigs(),
  },
};

/** ech_outer_extensions: inside what is encrypted only, so in no message that is one (RFC 9849 §5.1). */
export const echOuterExtensions: Extension<Record<never, never>> = {
  id: 0xfd00,
  name: 'ech_outer_extensions',
  source: 'RFC 9849 §5.1',
  codecs: {},
};

const OUTER = 0;
const INNER = 1;
const enc = opaque(2);
const payload = opaque(2, 1);

function echClientHello(): Codec<EchClientHello> {
  return {
    read(reader) {
      const type = readField(reader, 'type', uint8);
      if (type === INNER) return { type: 'inner' };
      if (type === OUTER) return readOuter(reader);
      throw new TlsError('illegal-parameter', `encrypted_client_hello of type ${type}`);
    },
    write(writer, value) {
      if (value.type === 'inner') {
        writer.uint8(INNER);
        return;
      }
      writer.uint8(OUTER);
      writer.uint16(value.kdf);
      writer.uint16(value.aead);
      writer.uint8(value.configId);
      enc.write(writer, value.enc);
      payload.write(writer, value.payload);
    },
  };
}

function readOuter(reader: Reader): OuterEch {
  return {
    type: 'outer',
    kdf: readField(reader, 'kdf', uint16),
    aead: readField(reader, 'aead', uint16),
    configId: readField(reader, 'configId', uint8),
    enc: readField(reader, 'enc', enc),
    payload: readField(reader, 'payload', payload),
  };
}

/** The list's bytes, well-formed: they are for the application, which may keep them. */
function retryConfigs(): Codec<Uint8Array> {
  return {
    read(reader) {
      const bytes = reader.takeRest();
      decode(echConfigList, bytes);
      return bytes;
    },
    write: (writer, bytes) => writer.bytes(bytes),
  };
}
