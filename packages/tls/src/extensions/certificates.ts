import { type Codec, constant, decode, list, opaque, rest, struct, uint8 } from '@testudo/codec';
import { MAX_AUTHORITIES } from '../config/defaults.ts';
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

/** trusted_ca_keys (RFC 6066 §6): known by name only; a server that has no use for it passes over it. */
export const trustedCaKeys: Extension<{ client_hello: Uint8Array; server_hello_12: Uint8Array }> = {
  id: 3,
  name: 'trusted_ca_keys',
  source: 'RFC 6066 §6',
  codecs: { client_hello: rest, server_hello_12: rest },
};

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

/** certificate_authorities (RFC 9846 §4.3.4): distinguished names, DER. */
export const certificateAuthorities: Extension<{
  client_hello: Uint8Array[];
  certificate_request: Uint8Array[];
}> = {
  id: 47,
  name: 'certificate_authorities',
  source: 'RFC 9846 §4.3.4',
  codecs: { client_hello: list(2, opaque(2, 1), 3), certificate_request: list(2, opaque(2, 1), 3) },
};

/** What is to be named: all of them, or none where they do not fit into the list (2^16-1 bytes). */
export function namedAuthorities(names: readonly Uint8Array[] = []): Uint8Array[] {
  const length = names.reduce((sum, name) => sum + 2 + name.length, 0);
  return length > MAX_AUTHORITIES ? [] : [...names];
}

export interface OidFilter {
  readonly oid: Uint8Array;
  readonly values: Uint8Array;
}

/** oid_filters (RFC 9846 §4.3.5). */
export const oidFilters: Extension<{ certificate_request: OidFilter[] }> = {
  id: 48,
  name: 'oid_filters',
  source: 'RFC 9846 §4.3.5',
  codecs: { certificate_request: list(2, struct({ oid: opaque(1, 1), values: opaque(2) })) },
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

function ocspResponse(): Codec<Uint8Array> {
  const body = struct({ statusType: constant(uint8, OCSP), response: opaque(3, 1) });
  return {
    read: (reader) => body.read(reader).response,
    write: (writer, response) => body.write(writer, { statusType: OCSP, response }),
  };
}
