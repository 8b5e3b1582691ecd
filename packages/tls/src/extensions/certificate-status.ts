import { type Codec, constant, opaque, rest, struct, uint8 } from '@testudo/codec';
import { acknowledgement, type Extension } from './extension.ts';

const OCSP = 1;

/** status_request (RFC 6066 §8, RFC 9846 §4.5.1.1): the client asks for an OCSP response; the certificate carries it. */
export const statusRequest: Extension<{
  client_hello: Uint8Array;
  server_hello_12: null;
  certificate: Uint8Array;
  certificate_request: Uint8Array;
}> = {
  id: 5,
  name: 'status_request',
  source: 'RFC 6066 §8',
  codecs: {
    client_hello: rest,
    server_hello_12: acknowledgement(),
    certificate: ocspResponse(),
    certificate_request: rest,
  },
};

/** The body of a request for OCSP without responder ids and extensions. */
export const OCSP_REQUEST: Uint8Array = Uint8Array.of(OCSP, 0, 0, 0, 0);

/** status_request_v2 (RFC 6961): several responses, up to TLS 1.2; in 1.3 nobody acts on it (RFC 9846 §4.5.1.1). */
export const statusRequestV2: Extension<{ client_hello: Uint8Array; server_hello_12: null }> = {
  id: 17,
  name: 'status_request_v2',
  source: 'RFC 6961 §2.2',
  codecs: { client_hello: rest, server_hello_12: acknowledgement() },
};

function ocspResponse(): Codec<Uint8Array> {
  const body = struct({ statusType: constant(uint8, OCSP), response: opaque(3, 1) });
  return {
    read: (reader) => body.read(reader).response,
    write: (writer, response) => body.write(writer, { statusType: OCSP, response }),
  };
}
