import { type Codec, decode, list, opaque, rest } from '@testudo/codec';
import { acknowledgement, type Extension } from './extension.ts';

/** signed_certificate_timestamp (RFC 6962 §3.3.1): a list of timestamps, carried as it is. */
export const signedCertificateTimestamp: Extension<{
  client_hello: null;
  server_hello_12: Uint8Array;
  certificate: Uint8Array;
  certificate_request: null;
}> = {
  id: 18,
  name: 'signed_certificate_timestamp',
  source: 'RFC 6962 §3.3.1',
  codecs: {
    client_hello: acknowledgement(),
    server_hello_12: timestamps(),
    certificate: timestamps(),
    certificate_request: acknowledgement(),
  },
};

/** Neither the list nor what is in it may be empty (RFC 6962 §3.3). */
function timestamps(): Codec<Uint8Array> {
  const syntax = list(2, opaque(2, 1), 1);
  return {
    read(reader) {
      const bytes = rest.read(reader);
      decode(syntax, bytes);
      return bytes;
    },
    write: rest.write,
  };
}
